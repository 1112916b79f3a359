"""A Spark session to work in, and its failures in words."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.population.problems import PopulationProblem

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME = "backpath population"
# ``spark-submit`` says so where the JVM listens that it started.
SUBMITTED = "PYSPARK_GATEWAY_PORT"
WORKERS_PYTHON = "PYSPARK_PYTHON"
LOCALHOST = "127.0.0.1"
# Of a Spark of our own on this machine; nobody else is to look into it.
OWN = {
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": LOCALHOST,
    "spark.driver.host": LOCALHOST,
    "spark.log.level": "FATAL",
    "spark.sql.shuffle.partitions": "32",
    "spark.hadoop.fs.permissions.umask-mode": "077",
    "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
}
# Used where the user configures nothing else. Batches are small enough for long lines.
USUAL = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "4000",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(64 << 20),
}
JAVA = "Spark runs on Java 17 or later"
# The longest sentence of Spark's that is passed on.
LONGEST = 300
_LOST_PYTHON = re.compile(
    r"^(?:\w+\.)*(\w+(?:Error|Exception|Problem|Undecodable))\b", re.MULTILINE
)
_MISSING = re.compile(r"No module named '[\w.]+'")


@contextmanager
def spark_session(workers: int) -> Iterator[SparkSession]:
    """The session ``spark-submit`` set up, or one on this machine; ended when it was begun here.

    Args:
        workers: processors of this machine to use, when nobody set up another master.

    Raises:
        PopulationProblem: there is no Spark or no Java, or Spark failed inside.
    """
    try:
        from py4j.protocol import Py4JError  # noqa: PLC0415 an extra
        from pyspark.errors import PySparkException  # noqa: PLC0415
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError:
        raise PopulationProblem(
            "the Spark engine is not installed: pip install 'backpath[spark]'"
        ) from None
    begun_before = SparkSession.getActiveSession()
    try:
        spark = begun_before or _begun(SparkSession.builder.appName(NAME), workers)
        try:
            yield _configured(spark)
        finally:
            if begun_before is None:
                spark.stop()
    except (PySparkException, Py4JError, ImportError) as problem:
        raise PopulationProblem(_in_words(problem)) from None
    except ConnectionError:
        raise PopulationProblem("Spark ended before it was done") from None


def _begun(builder: SparkSession.Builder, workers: int) -> SparkSession:
    if SUBMITTED in os.environ:
        return builder.getOrCreate()
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        raise PopulationProblem(f"{JAVA}; none was found on the PATH or at JAVA_HOME")
    os.environ.setdefault(WORKERS_PYTHON, sys.executable)
    for name, value in OWN.items():
        builder = builder.config(name, value)
    return builder.master(f"local[{workers}]").getOrCreate()


def _configured(spark: SparkSession) -> SparkSession:
    given = spark.sparkContext.getConf()
    if not given.contains("spark.log.level"):
        spark.sparkContext.setLogLevel("FATAL")  # what ends a run is told by this program
    for name, value in USUAL.items():
        if not given.contains(name):
            spark.conf.set(name, value)
    return spark


def _in_words(problem: Exception) -> str:
    """What went wrong, in one line that names no patient."""
    if "JAVA_GATEWAY_EXITED" in str(problem):
        return f"Java did not start; {JAVA}"
    told = _cause(problem)
    if "Traceback (most recent call last)" in told:
        if missing := _MISSING.search(told):
            return f"a Spark worker's Python lacks what this one has: {missing[0]}"
        # What an error says may be of a patient.
        names = _LOST_PYTHON.findall(told)
        return f"a Spark task failed in Python: {names[-1] if names else 'unknown'}"
    line = next((line.strip() for line in told.splitlines() if line.strip()), "unknown")
    return f"Spark failed: {line[:LONGEST]}"


def _cause(problem: Exception) -> str:
    """What was said where it went wrong first, in Java when it was there."""
    java: Any = getattr(problem, "java_exception", None) or getattr(problem, "_origin", None)
    if java is None:
        return str(problem)
    try:
        told = [str(java.toString())]
        while (java := java.getCause()) is not None:
            told.append(str(java.toString()))
    except Exception:  # noqa: BLE001 the JVM itself is gone
        return type(problem).__name__
    python = [each for each in told if "Traceback (most recent call last)" in each]
    named = [each for each in told if "while reading file" in each]
    return (python or [told[-1] + (f" ({named[0]})" if named else "")])[-1]
