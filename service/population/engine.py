"""A run from the question to the report."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from cards.content import ContentError
from cards.library import Library, load_library
from service.interruption import asked_later
from service.population.export import Export, read_export
from service.population.export_place import input_folder
from service.population.local import cut, failing_in_words, run_local
from service.population.pieces import LAYOUT
from service.population.problems import PopulationProblem
from service.population.pseudonym import Keyed, own_key
from service.population.report_files import PAGE, judged_by, report_files
from service.population.run import RunFolder, RunProblem, Wanted, write_text
from service.population.tables import read_table

Tell = Callable[[str], None]
SPILLED = "spill-*"


def run_population(
    folder: str, wanted: Wanted, workers: int, token: str | None, tell: Tell
) -> Path | str:
    """Judge a population, or go on where an earlier run was broken off; the page of the report.

    Only the local engine goes on; Spark begins anew what it has not finished.

    Args:
        token: opens the files a manifest lists.
        tell: takes sentences for whoever runs this.

    Raises:
        PopulationProblem: the run cannot be made; what is done of it is kept.
    """
    try:
        library = load_library(switched_on=wanted.switched_on, mme_factors=wanted.mme_factors)
    except ContentError as problem:
        raise PopulationProblem(str(problem)) from None
    if wanted.engine == "spark":
        # An extra, which not everybody installs.
        from service.population.spark import run_spark  # noqa: PLC0415

        return run_spark(folder, wanted, workers, library, tell)
    run = RunFolder(Path(folder))
    with failing_in_words(), run.taken():
        wanted = wanted.dated(run.description(), folder)
        if (run.path / PAGE).exists():
            run.check(wanted.described)
            tell("this run was finished before; nothing is done again")
        else:
            _run(run, wanted, workers, token, library, tell)
        run.forget_salt()
        if run.work.exists():
            shutil.rmtree(run.work)
    return run.path / PAGE


def _run(
    run: RunFolder, wanted: Wanted, workers: int, token: str | None, library: Library, tell: Tell
) -> None:
    export = _export(wanted, run, token, tell)
    division = cut(export)
    described = run.begin(
        {
            **wanted.described,
            **judged_by(library),
            "duckdb": duckdb.__version__,
            "layout": LAYOUT,
            "files": [
                {"name": file.name, "bytes": file.bytes, "modified": file.modified}
                for file in export.files
            ],
            "ignored": list(export.ignored),
            "piece_bytes": division.piece_bytes,
            "partitions": division.partitions,
        }
    )
    for left in run.work.glob(SPILLED):  # by processes that were killed
        shutil.rmtree(left)
    key: Keyed = run.pseudonyms(wanted.salt) if wanted.pseudonymised else own_key
    run_local(run, wanted, export, division, key, workers)
    write_report(run, described, library)


def _export(wanted: Wanted, run: RunFolder, token: str | None, tell: Tell) -> Export:
    """The export, downloaded first where it is behind a web address."""
    source = input_folder(wanted.input)
    if isinstance(source, Path) and run.path.resolve().is_relative_to(source.resolve()):
        raise RunProblem(f"{run.path} lies in the folder of the export; choose another")
    if isinstance(source, str):
        with asked_later():  # what downloads is needed here alone
            from service.population.bulk_download import fetch_export  # noqa: PLC0415

        fetched = fetch_export(source, run.work / "export", token)
        for warning in fetched.warnings:
            tell(warning)
        source = fetched.folder
    return read_export(source)


def write_report(run: RunFolder, described: dict[str, Any], library: Library) -> None:
    """Write the report on a run whose tables are whole, for programs and for people."""
    tallies = read_table("tallies", run.path / "tallies").to_pylist()
    for name, text in report_files(tallies, described, library).items():
        write_text(run.path / name, text)
