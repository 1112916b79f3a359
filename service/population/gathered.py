"""What came of the lines of an export: rows to be grouped by patient, and what was set aside."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from service.population.reasons import Reason
from service.population.tables import Tally

# A resource of a patient, or one that is for itself and stands under its own id.
#   telling: whether it may make a pathway concern the patient: a Condition, or in a replay also an
#     order or a visit with a reason.
#   medication: the id of the Medication an order points at.
#   body: its JSON; null where it says nothing to any fact.
ROWS = pa.schema(
    [
        ("file", pa.string()),
        ("block", pa.int64()),
        ("line", pa.int64()),
        ("patient", pa.string()),
        ("kind", pa.string()),
        ("telling", pa.bool_()),
        ("medication", pa.string()),
        ("body", pa.binary()),
    ]
)
# Where a line was rejected, and why.
REJECTS = pa.schema(
    [
        ("file", pa.string()),
        ("block", pa.int64()),
        ("line", pa.int64()),
        ("reason", pa.string()),
    ]
)


class Rows:
    """Rows of one block of a file."""

    def __init__(self, file: str, block: int, schema: pa.Schema) -> None:
        """No rows yet.

        Args:
            schema: what a row holds; file and block come first.
        """
        self._file, self._block, self._schema = file, block, schema
        self._rows: list[tuple[Any, ...]] = []
        # Adds the rest of a row: all but file and block.
        self.add = self._rows.append

    def take(self) -> pa.RecordBatch:
        """The rows added since the last time."""
        count = len(self._rows)
        fields = list(self._schema)[2:]
        columns = list(zip(*self._rows, strict=True)) or [()] * len(fields)
        self._rows.clear()
        return pa.record_batch(
            [
                pa.repeat(self._file, count),
                pa.repeat(pa.scalar(self._block, pa.int64()), count),
                *(pa.array(c, field.type) for c, field in zip(columns, fields, strict=True)),
            ],
            schema=self._schema,
        )


class Gathered:
    """What came of the lines of one block of a file.

    Attributes:
        lines: how many were read so far.
        kept: those of patients that may say something.
        noise: those of patients that say nothing.
        medications: those of Medications.
        rejected: those not used.
        tally: the lines by what became of them, as in the table of tallies; and patients who
            cannot be judged for want of an id.
    """

    def __init__(self, file: str, block: int) -> None:
        """No line is read yet."""
        self.file, self.block = file, block
        self.lines = 0
        self.kept, self.noise = Rows(file, block, ROWS), Rows(file, block, ROWS)
        self.medications = Rows(file, block, ROWS)
        self.rejected = Rows(file, block, REJECTS)
        self.tally: Tally = Counter()

    def reject(self, line: int, reason: Reason) -> None:
        """Set a line aside."""
        self.rejected.add((line, reason.value))
        self.tally["lines", "rejected", reason.value] += 1
        if reason is Reason.BROKEN_FILE:
            self.tally["broken file", self.file] += 1
        elif reason is Reason.PATIENT_WITHOUT_ID:
            self.tally.update((("patients", "in"), ("patients", "rejected")))
