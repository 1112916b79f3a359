"""Our engine and the guideline package agree on every example patient of the package.

The examples of the recommendations carried here run in ``test_recommendations``. Where the whole
package lies beside the repository, all of it is imported into a folder of its own and judged by
our engine: recommendations still to come have no wording yet, and need none for this.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from cards.answer import UNKNOWN, YES, Finding
from cards.answers import GivenAnswers
from cards.case import FACTS, Case
from cards.library import HERE, Library, load_library
from cards.recommend import judge
from cards.select import is_next_step, select
from tests.content_yaml import dump, read
from tests.example_patients import outcome, what_follows
from tests.import_package import ROOT, import_package, package_directory

EXAMPLES = 1082
RECOMMENDATIONS = 111


def next_step_card(library: Library, present: list[str]) -> list[str]:
    """Leader and rows, option rows left out, of the next-step card of a patient told in facts."""
    known = what_follows(present, "patient-view", library.vocabulary)
    ask = GivenAnswers(dict.fromkeys(known, YES), library.vocabulary)
    applied = [
        advice
        for recommendation in library.cards["patient-view"]
        if (advice := judge(recommendation, ask, "patient-view")[0])
    ]
    steps = [
        name for order in library.next_step_order if ask(order.when) == YES for name in order.order
    ]
    shown = select(applied, (), steps, "patient-view").shown
    plan = next(plan for plan in shown if is_next_step(plan))
    return [member.recommendation.id for member in plan.members]


def disagreements(library: Library) -> list[str]:
    """Example patients for whom our engine says something else than the package."""
    return [
        f"{recommendation.id}: {example.case}"
        for recommendation in library.recommendations.values()
        for example in recommendation.examples
        if (example.expect, example.indicator) != outcome(recommendation, example, library)
    ]


def test_the_next_step_card_of_each_example() -> None:
    """Leader and rows are those the example names."""
    library = load_library()
    examples: list[dict[str, Any]] = read(HERE / "definitions" / "next_step_examples.yaml")

    assert len(examples) == 8
    for example in examples:
        got = next_step_card(library, example["present"])
        assert got == [example["leader"], *example["rows"]], example["case"]


@pytest.fixture
def whole_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The library of all recommendations of the package; skipped where the package is not."""
    package = package_directory([])
    if not (package / "recommendations.yaml").exists():
        pytest.skip("the guideline package does not lie beside the repository")
    content = tmp_path / "cards"
    shutil.copytree(ROOT / "cards", content, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    every = [entry["id"] for entry in read(package / "recommendations.yaml")["recommendations"]]
    import_package(package, content, every)
    for path in (content / "recommendations").glob("*.yaml"):
        _with_some_wording(path)
    for name in read(content / "definitions" / "facts.yaml"):
        monkeypatch.setitem(FACTS, name, FACTS.get(name, _unwritten))
    conflicts = read(content / "conflicts.yaml")
    dump(content / "conflicts.yaml", {name: line or "-" for name, line in conflicts.items()})
    return load_library(content)


def _unwritten(_: Case) -> Finding:
    """A fact that follows with a later part; the examples give its answer."""
    return UNKNOWN


def _with_some_wording(path: Path) -> None:
    told = read(path)
    told["card"]["detail"] = told["card"]["detail"] or "-"
    told["limits"] = told["limits"] or "not worded yet"
    dump(path, told)


def test_all_examples_of_the_package(whole_package: Library) -> None:
    """Every executable example of the package has the same outcome here."""
    recommendations = whole_package.recommendations.values()

    assert len(recommendations) == RECOMMENDATIONS
    assert sum(len(r.examples) for r in recommendations) == EXAMPLES
    assert disagreements(whole_package) == []
