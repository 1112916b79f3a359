"""What an answer costs, counted without a clock: calls of Python functions.

``python -m tests.bench.cost`` prints fresh bounds, a tenth above what is counted now.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import click
import yaml

from cards.library import Library, load_library
from service.hooks import answer
from tests.bench.calls import make_call
from tests.bench.cores import CORES, Core

DAY = date(2026, 6, 15)
SLACK = 1.1
BOUNDS: Mapping[str, Mapping[int, int]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
STANDARD: tuple[Core, ...] = tuple(core for core in CORES if core.fixture in BOUNDS)


def function_calls(core: Core, size: int, library: Library) -> int:
    """How many calls of Python functions answer one standard request, once all is warm."""
    call = make_call(core, size, DAY)
    body, service = call.body, call.service
    answer(body, service, library, DAY)
    count = 0

    def counting(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        answer(body, service, library, DAY)
    finally:
        sys.setprofile(before)
    return count


def main() -> None:
    """Print the file of bounds as it would be now."""
    library = load_library()
    for core in STANDARD:
        bounds = {
            size: round(SLACK * function_calls(core, size, library))
            for size in BOUNDS[core.fixture]
        }
        told = ", ".join(f"{size}: {bound}" for size, bound in bounds.items())
        click.echo(f"{core.fixture}: {{{told}}}")


if __name__ == "__main__":
    main()
