"""The Spark engine: the same functions as of the local one, on a cluster or on one machine."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cards.library import Library
from service.population.export_place import input_folder, is_of_a_store
from service.population.hadoop import HadoopFolder
from service.population.local import calls_of, empty_keys
from service.population.mixture import NAME, Mixture
from service.population.problems import PopulationProblem
from service.population.pseudonym import Keyed, Pseudonyms, new_salt, own_key
from service.population.report_files import PAGE, judged_by, report_files
from service.population.run import (
    DESCRIPTION,
    WORK,
    RunFolder,
    RunProblem,
    Wanted,
    described_by,
    refuse_others,
    see_same,
)
from service.population.spark_gather import (
    GATHERED,
    Content,
    Gathering,
    gather_files,
    gather_lines,
)
from service.population.spark_grouping import (
    charts_of,
    orphans_of,
    patients_of,
    rejects_of,
    tallies_of,
    told_of,
)
from service.population.spark_input import lines_of, parts_of, union
from service.population.spark_judge import JUDGED, Asked, judge_rows
from service.population.spark_session import spark_session
from service.population.stored_export import StoredExport, read_stored_export
from service.population.tables import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

ROW_STEP, CHART_STEP = f"{WORK}/gathered", f"{WORK}/judged"


def run_spark(
    folder: str, wanted: Wanted, workers: int, library: Library, tell: Callable[[str], None]
) -> str:
    """Judge a population; the address of the report's page.

    Args:
        folder: a path of this machine, or an address Hadoop can write to.
        workers: processors to use, when nobody set up another Spark.
        tell: takes sentences for whoever runs this.

    Raises:
        PopulationProblem: the run cannot be made; the same begins anew.
    """
    own = None if is_of_a_store(folder) else input_folder(folder)
    if isinstance(own, str):
        raise PopulationProblem("a run is written to a folder, not to a web address")
    taken = nullcontext() if own is None else RunFolder(own).taken()
    with taken, spark_session(workers) as spark:
        run = HadoopFolder(spark, folder if own is None else own.absolute().as_uri())
        run.make()
        begun = _begun(run)
        wanted = wanted.dated(begun, folder)
        if begun is not None:
            see_same(begun, wanted.described, run.address)
        if run.has(PAGE):
            tell("this run was finished before; nothing is done again")
        else:
            _run(spark, run, wanted, library, begun)
        run.delete(WORK)
        return run.at(PAGE) if own is None else str(own / PAGE)


def _begun(run: HadoopFolder) -> dict[str, Any] | None:
    """The description of the run a folder holds; None when none was begun.

    Raises:
        RunProblem: it holds something else.
    """
    if run.has(DESCRIPTION):
        return described_by(run.content(DESCRIPTION), run.at(DESCRIPTION))
    refuse_others(run.names(), run.address)
    return None


def _run(
    spark: SparkSession,
    run: HadoopFolder,
    wanted: Wanted,
    library: Library,
    begun: dict[str, Any] | None,
) -> None:
    export = read_stored_export(spark, wanted.input)
    if f"{run.address}/".startswith(f"{export.address}/"):
        raise RunProblem(f"{run.address} lies in the folder of the export; choose another")
    described = {
        **wanted.described,
        **judged_by(library),
        "spark": spark.version,
        "files": [{"name": file.name, "bytes": file.bytes} for file in export.files],
        "ignored": list(export.ignored),
    }
    if begun is None:
        run.write(DESCRIPTION, json.dumps(described, indent=2))
    else:
        see_same(begun, described, run.address)
    tallies = _write_tables(spark, run, wanted, export)
    for name, text in report_files(tallies, described, library).items():
        run.write(name, text)


def _write_tables(
    spark: SparkSession, run: HadoopFolder, wanted: Wanted, export: StoredExport
) -> list[dict[str, Any]]:
    """Write the four tables; the rows of the tallies."""
    content = Content(wanted.switched_on, wanted.mme_factors)
    gathered = _kept(spark, run, ROW_STEP, _gathered(spark, export, content, wanted.replay))
    rows, noise = _table(gathered, GATHERED, "rows"), _table(gathered, GATHERED, "noise")
    patients = patients_of(spark, rows)
    asked = _asked(gathered, wanted, export, content)
    of_whom = told_of(spark, rows, patients) if asked.calls.of_conditions_only else patients
    charts = charts_of(spark, rows, of_whom, _table(gathered, GATHERED, "medications"))
    mapped = charts.mapInArrow(partial(judge_rows, asked=asked), _columns(JUDGED.schema))
    judged = _kept(spark, run, CHART_STEP, mapped)
    orphans = orphans_of(spark, rows, noise, patients)
    pairs = {
        name: (_table(gathered, GATHERED, name), _table(judged, JUDGED, name), orphans)
        for name in ("rejects", "tallies")
    }
    blocks = _table(gathered, GATHERED, "blocks")
    _write(_table(judged, JUDGED, "cards"), run.at("cards"))
    _write(_table(judged, JUDGED, "states"), run.at("states"))
    _write(rejects_of(spark, *pairs["rejects"], blocks), run.at("rejects"))
    _write(tallies_of(spark, *pairs["tallies"]), run.at("tallies"))
    return [row.asDict() for row in spark.read.parquet(run.at("tallies")).collect()]


def _gathered(
    spark: SparkSession, export: StoredExport, content: Content, whole_orders: bool
) -> DataFrame:
    gathering = Gathering(
        content,
        {file.url: file.name for file in export.files},
        {file.name: file.kind for file in export.files},
        whole_orders,
    )
    read = ((lines_of(spark, export), gather_lines), (parts_of(spark, export), gather_files))
    columns = _columns(GATHERED.schema)
    mapped = [
        frame.mapInArrow(partial(gather, gathering=gathering), columns)
        for frame, gather in read
        if frame is not None
    ]
    return union(mapped) or spark.createDataFrame([], columns)


def _asked(gathered: DataFrame, wanted: Wanted, export: StoredExport, content: Content) -> Asked:
    tally: Tally = Counter()
    for row in _table(gathered, GATHERED, "tallies").collect():
        tally[row["kind"], row["first"], row["second"]] += row["number"]
    named = export.types_named
    calls, empty = calls_of(wanted, named, tally), empty_keys(named, tally)
    return Asked(content, calls, _key(wanted), empty)


def _key(wanted: Wanted) -> Keyed:
    """What stands for a patient; a salt made by chance is kept nowhere."""
    return Pseudonyms(wanted.salt or new_salt()) if wanted.pseudonymised else own_key


def _kept(spark: SparkSession, run: HadoopFolder, name: str, frame: DataFrame) -> DataFrame:
    """What came of a step, from where it is kept until the run is finished."""
    _write(frame, run.at(name))
    return spark.read.schema(frame.schema).parquet(run.at(name))


def _table(frame: DataFrame, mixture: Mixture, name: str) -> DataFrame:
    return frame.where(frame[NAME] == name).select(*mixture.tables[name].names)


def _write(frame: DataFrame, address: str) -> None:
    frame.write.mode("overwrite").parquet(address)


def _columns(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 an extra

    return from_arrow_schema(schema)
