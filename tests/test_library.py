"""Bad content stops the start with its file and line, not a card at the bedside."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cards.content import ContentError
from cards.library import HERE, Library, load_library

CARD = "recommendations/tens-chronic-avoid.yaml"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the content that a test may spoil."""
    folder = tmp_path / "cards"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def edit(path: Path, old: str, new: str) -> int:
    """Replace the first ``old``; the line it stands on."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


SPOILED = [
    ("unknown fact", CARD, "- draft_tens", "- draft_tenz"),
    ("unknown exclusion", CARD, "- routine\n", "- routinely\n"),
    ("unknown source", CARD, "- acp-2017", "- acp-1917"),
    ("unknown override reason", CARD, "- patient-preference", "- because-i-say-so"),
    ("unknown field", CARD, "population:", "populace:"),
    ("unknown indicator", CARD, "indicator: warning", "indicator: hard-stop"),
    ("not YAML", CARD, "trigger:", "trigger: ["),
    ("key twice", CARD, "priority:", "kind: warning\npriority:"),
    ("unknown part of a fact", "definitions/facts.yaml", "- rf_ces_open\n", "- rf_ces_opened\n"),
    ("row nobody wrote", "definitions/option_sets.yaml", "- yoga\n", "- yogurt\n"),
    ("exclusion set in a trigger", CARD, "- draft_tens", "- routine"),
    ("unknown value set", "definitions/facts.yaml", "- cauda-equina\n", "- cauda-equinaa\n"),
    ("unknown prefetch key", "definitions/facts.yaml", "- serviceRequests", "- serviceRequest"),
    ("misspelt member", "definitions/facts.yaml", "  scope:", "  scoop:"),
    ("unknown fact excluded", "definitions/exclusion_sets.yaml", "- end_of_life", "- end_of_day"),
    ("option set without rows", "definitions/option_sets.yaml", "  rows:", "  ranks:"),
    ("step order without order", "definitions/next_step_order.yaml", "  order:", "  ordre:"),
    ("source without a name", "sources.yaml", "  name:", "  nom:"),
    (
        "indicator no example tells",
        CARD,
        "indicator: warning\n",
        "indicator: warning\nindicator_rules:\n  - fact: bleeding_disorder\n    indicator: info\n",
    ),
    ("state nobody can be in", "pathways/back-muscle-spasm.yaml", "pathway_spasm", "pathway_spam"),
]


@pytest.mark.parametrize(("mistake", "file", "old", "new"), SPOILED, ids=[s[0] for s in SPOILED])
def test_mistake_is_reported_with_file_and_line(
    content: Path, mistake: str, file: str, old: str, new: str
) -> None:
    """Each kind of mistake in a content file stops the start and says where it is."""
    edit(content / file, old, new)

    with pytest.raises(ContentError, match=re.escape(file) + r":\d+: ") as failure:
        load_library(content)
    assert not str(failure.value).endswith(":1: "), mistake


def test_the_line_is_the_line_of_the_mistake(content: Path) -> None:
    """The reported line is where the wrong name stands."""
    line = edit(content / CARD, "- draft_tens", "- draft_tenz")

    with pytest.raises(ContentError, match=f"{re.escape(CARD)}:{line}: 'draft_tenz' is not a fact"):
        load_library(content)


@pytest.mark.parametrize("length", [139, 140])
def test_summary_is_never_cut(content: Path, length: int) -> None:
    """A summary of 139 characters is accepted, one of 140 refused; none is ever shortened."""
    path = content / CARD
    summary = next(line for line in path.read_text().splitlines() if "summary:" in line)
    edit(path, summary, f"  summary: {'x' * length}")

    if length < 140:
        assert load_library(content).recommendations["tens-chronic-avoid"].summary == "x" * length
    else:
        with pytest.raises(ContentError, match=r":7: .*too long"):
            load_library(content)


def test_value_set_row_without_code_is_refused(content: Path) -> None:
    """A row of a value set that bears no code stops the start, with its line."""
    path = content / "value_sets" / "tens.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "http://snomed.info/sct,,TENS,exact,,high,nobody"]) + "\n")

    with pytest.raises(ContentError, match=rf"value_sets/tens.csv:{len(lines) + 1}: "):
        load_library(content)


def test_cpt_can_be_removed(content: Path, library: Library) -> None:
    """Without the CPT rows the rest still loads; CPT codes are then in no value set."""
    lumbar_mri = ("http://www.ama-assn.org/go/cpt", "72148")
    for name in ("value_sets/cpt.csv", "definitions/imaging_regions_cpt.yaml"):
        (content / name).unlink()
    without = load_library(content)

    assert "spine-mri" in library.index.sets_of(*lumbar_mri)
    assert not without.index.sets_of(*lumbar_mri)
    assert without.recommendations.keys() == library.recommendations.keys()
    assert library.imaging_regions[lumbar_mri] == "lumbar"


CODES: list[tuple[str, Callable[[str], str], str]] = [
    ("with dot", str, "M54.50"),
    ("without dot", str, "M5450"),
    ("lower case", str, "m54.50"),
]


@pytest.mark.parametrize(("how", "form", "code"), CODES, ids=[c[0] for c in CODES])
def test_diagnosis_code_is_found(
    library: Library, how: str, form: Callable[[str], str], code: str
) -> None:
    """Low back pain is recognised however its ICD-10-CM code is written."""
    sets = library.index.sets_of("http://hl7.org/fhir/sid/icd-10-cm", form(code))

    assert "low-back-pain" in sets, how


def test_facts_without_codes_are_known_to_be_unanswerable(library: Library) -> None:
    """A fact whose value sets are all empty is listed, so that it answers unknown, never no."""
    assert {"draft_bed_rest", "mbsr_on_record", "strength_falling"} <= library.unanswerable
    assert "draft_tens" not in library.unanswerable
