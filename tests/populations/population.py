"""Writes a population, patient by patient, in constant memory."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

import msgspec

from tests.populations.bad_lines import KINDS, NOT_IN_PARQUET, due, plant
from tests.populations.chart import draw_chart
from tests.populations.export_files import ExportFiles
from tests.populations.surroundings import surroundings
from tests.populations.written import FORMS, Written


def write_population(
    folder: Path,
    *,
    patients: int,
    day: date,
    seed: int = 1,
    form: str = "ndjson",
    parts: int = 1,
    bad: int = 0,
) -> Written:
    """Write a Bulk Data export of synthetic patients.

    The same arguments give the same bytes, and a patient of the same number, seed and day is the
    same in every population.

    Args:
        folder: made if need be; files of the same name are replaced.
        day: the newest day anything is dated, local calendar date.
        form: ``ndjson``, ``gz`` or ``parquet``.
        parts: files of each resource type.
        bad: bad lines of each kind; one that is no UTF-8 is not put into Parquet.

    Raises:
        ValueError: no such form, or fewer than one part.
    """
    if form not in FORMS or parts < 1:
        raise ValueError(f"the form is one of {', '.join(FORMS)}, in one part at least")
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [kind for kind in KINDS if form != "parquet" or kind not in NOT_IN_PARQUET]
    planted = due(bad, patients, kinds)
    with ExportFiles(folder, form, parts, seed) as files:
        for resource in surroundings():
            files.of(resource["resourceType"]).add([msgspec.json.encode(resource)])
        for number in range(patients):
            chart = draw_chart(number, seed, day)
            lines = chart.lines()
            if number in planted:
                plant(lines, planted[number], chart.person.id, Random(f"{seed} {number} bad"))
                for type_ in lines:
                    files.of(type_).watch()
            for type_, own in lines.items():
                files.of(type_).add(own)
    return Written(patients, files.counts(), files.planted())
