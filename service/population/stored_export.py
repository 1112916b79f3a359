"""What an export in a store that Hadoop reads holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from service.population.export import (
    ExportProblem,
    Kind,
    kind_of,
    may_hold_resources,
    read_export,
    types_named,
)
from service.population.export_place import input_folder, is_of_a_store
from service.population.hadoop import Found, HadoopFolder

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Files looked into at a time; each look waits for the store.
LOOKS = 16


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of an export.

    Attributes:
        name: its path below the export's folder, with ``/`` between the parts.
        address: where it lies, as Hadoop writes it.
        url: the same, with ``%20`` and the like for what is special.
    """

    name: str
    address: str
    url: str
    kind: Kind
    bytes: int


@dataclass(frozen=True, slots=True)
class StoredExport:
    """What a folder holds.

    Attributes:
        address: the folder's, as Hadoop writes it.
        files: those that hold resources, sorted by name.
        ignored: names of all other files, sorted.
    """

    address: str
    files: tuple[StoredFile, ...]
    ignored: tuple[str, ...]

    @property
    def types_named(self) -> frozenset[str]:
        """The resource types the file names tell; those of empty files count as delivered."""
        return types_named(file.name for file in self.files)


def read_stored_export(spark: SparkSession, source: str) -> StoredExport:
    """What the folder at an address holds; a path without a scheme is one of this machine.

    Raises:
        ExportProblem: there is no such folder, it holds no file with resources, or it is behind a
            web address.
    """
    if is_of_a_store(source):
        return _in_store(HadoopFolder(spark, source))
    folder = input_folder(source)
    if isinstance(folder, str):
        raise ExportProblem(
            "a manifest is downloaded by the local engine only; give Spark the folder of the files"
        )
    return _on_this_machine(spark, folder)


def _on_this_machine(spark: SparkSession, folder: Path) -> StoredExport:
    export = read_export(folder)
    root = HadoopFolder(spark, folder.absolute().as_uri())
    files = [
        StoredFile(file.name, *root.addresses(file.name), file.kind, file.bytes)
        for file in export.files
    ]
    return StoredExport(root.address, tuple(files), export.ignored)


def _in_store(folder: HadoopFolder) -> StoredExport:
    if not folder.is_folder():
        raise ExportProblem(f"{folder.address} is not a folder")
    found = sorted(folder.found())
    with ThreadPoolExecutor(LOOKS) as looks:
        told = list(looks.map(partial(_resource_file, folder), found))
    files = tuple(file for file in told if file is not None)
    if not files:
        raise ExportProblem(f"{folder.address} holds no NDJSON and no Parquet file")
    ignored = [each.name for each, file in zip(found, told, strict=True) if file is None]
    return StoredExport(folder.address, files, tuple(ignored))


def _resource_file(folder: HadoopFolder, found: Found) -> StoredFile | None:
    if not may_hold_resources(found.name):
        return None
    kind = kind_of(found.name, partial(folder.opened, found.address))
    if kind is None:
        return None
    return StoredFile(found.name, found.address, found.url, kind, found.bytes)
