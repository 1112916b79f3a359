"""The engines, as whoever judges a population starts them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tests.bench.population.exports import DAY, Population
from tests.without_extras import PYTHON_PATH

# The module of each.
ENGINES: Mapping[str, str] = {
    "local": "service.population.local",
    "spark": "service.population.spark",
}


def missing(engine: str) -> str | None:
    """Why an engine cannot be measured here; None when it can."""
    if find_spec(ENGINES[engine]) is None:
        return "not in this version"
    packages = ("pyspark", "pandas") if engine == "spark" else ()
    for package in packages:
        if find_spec(package) is None:
            return f"{package} is not installed"
    if engine == "spark" and not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "there is no Java"
    return None


def command(engine: str, workers: int, population: Population, run: Path) -> list[str]:
    """The command that judges a population; the local engine's as installed without extras.

    Args:
        run: the folder of the run, which must not be there yet.
    """
    options = {
        "--input": population.folder,
        "--as-of": DAY,
        "--engine": engine,
        "--workers": workers,
    }
    words = [str(word) for option in options.items() for word in option]
    found = [] if engine == "spark" else [f"PYTHONPATH={PYTHON_PATH}"]
    return ["env", *found, sys.executable, "-m", "service", "population", str(run), *words]
