"""The lines and files of an export as Spark reads them, byte by byte as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from service.population.export import Kind
from service.population.lines import LONGEST_LINE
from service.population.stored_export import StoredExport, StoredFile

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LINE_END = "\n"
# Files that cannot be read line by line come in parts that end with this: it is in every kind of
# data often enough, compressed or not, for parts to be short.
PART_END = "}"
# Files of a name that ends so are not unzipped. Builds of Hadoop differ in what they call that
# setting: the one that comes with Spark was renamed by a program.
_EXTENSION = "io.compress.passthrough.extension"
UNTOUCHED = {
    "io.compression.codecs": "org.apache.hadoop.io.compress.PassthroughCodec",
}
EXTENSIONS = (_EXTENSION, f"org.apache.hadoop.shaded.{_EXTENSION}")
# In the address of a file they would stand for others.
_WILD = re.compile(r"[\\{}\[\]*?]")
_COLUMNS = {
    "file": "_metadata.file_path",
    "block": "_metadata.file_block_start",
    "size": "_metadata.file_size",
}


def lines_of(spark: SparkSession, export: StoredExport) -> DataFrame | None:
    """The lines of all files of plain NDJSON; None when there is no such file.

    Returns:
        Columns ``file`` (its URL), ``block`` (a byte) and ``line``: without its line end, or null
        when it is longer than any line may be. Those of one block come together, in order.
    """
    plain = [file for file in export.files if file.kind is Kind.PLAIN and file.bytes]
    if not plain:
        return None
    # One byte more, for a carriage return.
    fits = f"octet_length(value) <= {LONGEST_LINE + 1}"
    line = f"CASE WHEN {fits} THEN CAST(value AS BINARY) END AS line"
    return _read(spark, plain, LINE_END, {}).selectExpr(*_places("file", "block"), line)


def parts_of(spark: SparkSession, export: StoredExport) -> DataFrame | None:
    """All files of other kinds, as they are, in parts; None when there is no such file.

    Returns:
        Columns ``file`` (its URL), ``size`` in bytes, and ``part``: each ends with ``PART_END``,
        which is left out. Those of one file come together, in order; an empty one has one.
    """
    others = [file for file in export.files if file.kind is not Kind.PLAIN]
    frames = [_parts(spark, suffix, files) for suffix, files in _by_suffix(others)]
    empty = [(file.url, 0, b"") for file in others if not file.bytes]
    if empty:
        schema = "file string, size bigint, part binary"
        frames.append(spark.createDataFrame(empty, schema))
    return union(frames)


def _by_suffix(files: Iterable[StoredFile]) -> list[tuple[str, list[StoredFile]]]:
    def suffix(file: StoredFile) -> str:
        return PurePosixPath(file.name).suffix.lower()  # as Hadoop compares them

    there = sorted((file for file in files if file.bytes), key=suffix)
    return [(ending, list(theirs)) for ending, theirs in groupby(there, suffix)]


def _parts(spark: SparkSession, suffix: str, files: Sequence[StoredFile]) -> DataFrame:
    options = UNTOUCHED | dict.fromkeys(EXTENSIONS, suffix)
    part = "CAST(value AS BINARY) AS part"
    return _read(spark, files, PART_END, options).selectExpr(*_places("file", "size"), part)


def _read(
    spark: SparkSession, files: Sequence[StoredFile], end: str, options: dict[str, str]
) -> DataFrame:
    reader = spark.read.format("text").option("lineSep", end).options(**options)
    # A file that is lost or damaged must not be passed over, whatever is configured.
    reader = reader.option("ignoreMissingFiles", "false").option("ignoreCorruptFiles", "false")
    reader = reader.option("recursiveFileLookup", "true")
    return reader.load([_WILD.sub(r"\\\g<0>", file.address) for file in files])


def _places(*names: str) -> list[str]:
    return [f"{_COLUMNS[name]} AS {name}" for name in names]


def union(frames: Sequence[DataFrame]) -> DataFrame | None:
    """All rows of frames with the same columns; None of no frame."""
    from pyspark.sql import DataFrame  # noqa: PLC0415 an extra

    return reduce(DataFrame.unionAll, frames) if frames else None
