"""Tables of different columns in one stream, where a program may give only one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

NAME = "table"


@dataclass(frozen=True)
class Mixture:
    """Rows of several tables, each row with the name of its own and null where it has no column.

    Attributes:
        tables: name → schema; columns of one name are of one type in all of them.
    """

    tables: Mapping[str, pa.Schema]

    @cached_property
    def schema(self) -> pa.Schema:
        """Of the rows, mixed."""
        columns = {field.name: field for schema in self.tables.values() for field in schema}
        return pa.schema([pa.field(NAME, pa.string()), *columns.values()])

    def mixed(self, name: str, rows: pa.Table | pa.RecordBatch) -> list[pa.RecordBatch]:
        """Rows of one table among the others; no batch when there are none."""
        if not rows.num_rows:
            return []
        given = set(rows.schema.names)
        columns = [
            pa.repeat(name, rows.num_rows) if field.name == NAME
            else rows[field.name] if field.name in given
            else pa.nulls(rows.num_rows, field.type)
            for field in self.schema
        ]  # fmt: skip
        batches: list[pa.RecordBatch] = pa.table(columns, schema=self.schema).to_batches()
        return batches
