"""A real Spark for the tests of populations, with a store that only Hadoop reaches."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Whether a machine without Java fails the tests of Spark; .ci/run says so.
REQUIRED = os.environ.get("TEST_SPARK") == "required"
NONE_FOUND = "no Java to be found; .ci/run installs it"
# What lies in the folder of the tests is below this address, too.
STORE = "viewfs://store/data"


def need_java() -> None:
    """Without Java the test is skipped, and fails where it is required."""
    if shutil.which("java") is None:
        if REQUIRED:
            pytest.fail(NONE_FOUND)
        pytest.skip(NONE_FOUND)


@contextmanager
def running_spark(stored: Path) -> Iterator[SparkSession]:
    """A Spark of two processors that cuts files into many pieces.

    Args:
        stored: the folder that ``STORE`` leads to.
    """
    need_java()
    from pyspark.sql import SparkSession  # takes longer to import than other tests take

    settings: dict[str, bool | float | int | str | None] = {
        "spark.ui.enabled": "false",
        "spark.log.level": "FATAL",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.files.maxPartitionBytes": "700000",
        "spark.sql.files.openCostInBytes": "1000",
        "spark.sql.shuffle.partitions": "4",
        "spark.hadoop.fs.viewfs.mounttable.store.link./data": stored.as_uri(),
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
        yield session
        session.stop()
