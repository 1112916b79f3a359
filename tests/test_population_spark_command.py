"""The Spark engine as a command: what the documentation gives, and what may be missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HOUSE
from tests.population_engines import DAY, rows
from tests.populations import write_population
from tests.spark import need_java

START_SECONDS = 180


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a user would, in the clone."""
    given = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    return subprocess.run(
        [str(each) for each in arguments],
        cwd=HOUSE,
        env=given | {"PYSPARK_PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def test_spark_submit_runs_the_command(tmp_path: Path) -> None:
    """The line the documentation gives."""
    need_java()
    import pyspark

    export = tmp_path / "submitted"
    write_population(export, patients=5, day=DAY, seed=2)
    run = tmp_path / "submitted-spark"
    submit = Path(pyspark.__path__[0], "bin", "spark-submit")
    ended = command(
        submit, "--master", "local[2]", "--conf", "spark.ui.enabled=false",
        "--conf", "spark.sql.shuffle.partitions=4",
        HOUSE / "service" / "__main__.py", "population", run.as_uri(),
        "--input", export.as_uri(), "--as-of", DAY.isoformat(), "--engine", "spark",
        PYTHONPATH=os.pathsep.join(filter(None, [str(HOUSE), os.environ.get("PYTHONPATH")])),
    )  # fmt: skip

    assert (ended.returncode, ended.stdout.split()[-1:]) == (0, [str(run / "report.html")])
    assert len({row[0] for row in rows(run, "states")}) == 5


@pytest.mark.parametrize(
    ("words", "start", "path", "told"),
    [
        ("no Java", "", "/nowhere", "Java 17"),
        ("no Spark", "sys.modules['pyspark'] = None;", None, "pip install 'backpath[spark]'"),
    ],
)
def test_what_is_missing_is_told(
    tmp_path: Path, words: str, start: str, path: str | None, told: str
) -> None:
    """A sentence says what to install."""
    program = f"import sys; {start} from service.cli import main; main(prog_name='backpath')"
    ended = command(
        sys.executable, "-c", program, "population", tmp_path / "run",
        "--input", tmp_path, "--engine", "spark", PATH=path or os.environ["PATH"],
    )  # fmt: skip

    assert ended.returncode == 1
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
