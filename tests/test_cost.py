"""An answer takes no more work than was agreed, counted in calls of Python functions.

The bounds stand in ``tests/bench/cost.yaml``. A change that makes answers cheaper lowers them; one
that has to make them dearer says in its commit why.
"""

from __future__ import annotations

import pytest

from cards.library import Library
from tests.bench.cores import Core
from tests.bench.cost import BOUNDS, STANDARD, function_calls

MOST_PER_DOUBLING = 2.1
EACH = [pytest.param(core, id=core.fixture) for core in STANDARD]


@pytest.mark.parametrize("size", [50, 200])
@pytest.mark.parametrize("core", EACH)
def test_an_answer_stays_within_its_bound(core: Core, size: int, library: Library) -> None:
    """A standard request is answered with no more work than was agreed."""
    assert function_calls(core, size, library) <= BOUNDS[core.fixture][size]


@pytest.mark.parametrize("core", EACH)
def test_twice_the_chart_is_twice_the_work_at_most(core: Core, library: Library) -> None:
    """Work grows with the length of the chart, and no faster."""
    once, twice = (function_calls(core, size, library) for size in (200, 400))

    assert twice <= MOST_PER_DOUBLING * once


def test_every_bound_is_held() -> None:
    """Bounds hold patients of every hook; one whose patient was renamed would hold nobody."""
    assert {core.fixture for core in STANDARD} == set(BOUNDS)
    assert len(BOUNDS) >= 6
