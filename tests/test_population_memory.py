"""What a process holds at a time does not grow with the export."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.population.export import read_export
from service.population.local import MOST_PARTITIONS, MOST_PIECE, Cut, cut

FIRST_LINE = b'{"resourceType":"Observation","id":"o"}\n'
GB = 1_000_000_000


def cut_of(size: int, folder: Path) -> Cut:
    """How an export of one file of so many bytes is cut; it takes no room."""
    file = folder / "Observation.ndjson"
    file.write_bytes(FIRST_LINE)
    os.truncate(file, size)
    return cut(read_export(folder))


@pytest.mark.parametrize("size", [GB, 20 * GB, 1_000 * GB, 10_000 * GB])
def test_no_export_is_cut_too_coarse_or_too_fine(size: int, tmp_path: Path) -> None:
    """A whole country's export needs no more memory of a process than a town's.

    Rows of every partition wait in memory while a piece is read, so neither may grow for ever.
    """
    division = cut_of(size, tmp_path)

    assert division.partitions <= MOST_PARTITIONS
    assert division.piece_bytes <= MOST_PIECE


def test_a_larger_export_has_more_partitions(tmp_path: Path) -> None:
    """A partition is sorted in memory as long as it can be."""
    (tmp_path / "town").mkdir()
    (tmp_path / "county").mkdir()

    town = cut_of(GB, tmp_path / "town")
    county = cut_of(20 * GB, tmp_path / "county")

    assert town.partitions < county.partitions
