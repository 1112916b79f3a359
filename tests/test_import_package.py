"""The importer carries the package's logic over and leaves our own words alone."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.content_yaml import dump, read
from tests.import_package import CPT, ROOT, import_package, package_directory, region

HEADER = "system,code,display,match,note,confidence,source\n"
STATEMENTS = (
    "id,seed_file,section,statement,type,strength_or_evidence_as_seed_states,dose_or_limits,"
    "computable,maps_to\n"
    "S0-01,a.txt,Headline,Walking helps,recommend,,,no: walks are not coded,"
    "walk-daily;not-carried\n"
)
SNOMED = "http://snomed.info/sct"
FACT = {"scope": "patient", "yes": "found", "no": "not found", "unknown": "unread"}


def _recommendation() -> dict[str, Any]:
    return {
        "id": "walk-daily",
        "title": "Walk daily",
        "kind": "suggestion",
        "render": "suggestion row in first-line",
        "hooks": ["patient-view"],
        "pathways": [],
        "phases": ["any"],
        "indicator": "info",
        "indicator_reason": "option",
        "priority": 41,
        "population": "adults",
        "trigger": {"all": ["pain_new"]},
        "exclusions": ["routine"],
        "missing_data": "silent",
        "card": {"summary": "Walk daily", "detail_must_say": ["walk"]},
        "suggestions": [
            {
                "label": "Advise walking",
                "action": {
                    "type": "create",
                    "resource": "ServiceRequest",
                    "content": "walking",
                    "code_from": "walking",
                },
            }
        ],
        "override_reasons": ["not-now"],
        "primary_sources": ["made-up-2020"],
        "evidence_strength": "made up",
        "conflict_refs": ["C-01"],
        "examples": [
            {"case": "New pain.", "present": ["pain_very_new"], "expect": "shown"},
            {"case": "No pain.", "present": [], "expect": "withheld"},
        ],
        "source_statements": ["S0-01"],
        "seed_basis": "seed",
    }


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A made-up package: one recommendation, four facts, two value sets."""
    folder = tmp_path / "package"
    other = {**_recommendation(), "id": "not-carried"}
    definitions = {
        "exclusion_sets": {"routine": ["deceased"], "unused": ["pain_very_new"]},
        "set_rules": {"unused": {"critical_only_when": ["deceased"]}},
        "option_sets": [{"id": "all", "when": ["pain"], "rows": ["walk-daily", "not-carried"]}],
        "next_step_order": [{"pathway": "p", "when": "pain", "order": ["not-carried"]}],
        "override_reasons": {"not-now": "Not now"},
    }
    facts = {
        "deceased": {"ask": "Deceased?", "from": ["patient"], **FACT},
        "pain": {"ask": "Pain?", "from": ["conditions"], "value_sets": ["pain"], **FACT},
        "pain_new": {
            "ask": "New?",
            "from": ["conditions"],
            "implies": ["pain", "pain_old"],
            **FACT,
            "yes": "under 28 d (pathways.md section 3)",
        },
        "pain_very_new": {"ask": "Today?", "from": ["conditions"], "implies": ["pain_new"], **FACT},
        "pain_old": {"ask": "Old?", "from": ["conditions"], "value_sets": ["unused"], **FACT},
    }
    dump(
        folder / "recommendations.yaml",
        {"definitions": definitions, "recommendations": [_recommendation(), other]},
    )
    groups = [["pain_new", "pain"], ["pain_new", "pain_old"]]
    dump(folder / "facts.yaml", {"exclusive": groups, "facts": facts})
    source = {"cite": "Made up, 2020, page 1999", "checked": "read", "facts": ["walking helps"]}
    dump(folder / "sources.yaml", {"sources": {"made-up-2020": source, "uncited": source}})
    (folder / "statements.csv").write_text(STATEMENTS, encoding="utf-8")
    sets = folder / "value_sets"
    sets.mkdir()
    walking = f"{SNOMED},2,Walking,exact,,high,us\n{CPT},99999,Walk,exact,,high,us\n"
    (sets / "walking.csv").write_text(HEADER + walking, encoding="utf-8")
    (sets / "pain.csv").write_text(HEADER, encoding="utf-8")
    (sets / "unused.csv").write_text(HEADER, encoding="utf-8")
    return folder


@pytest.fixture
def content(package: Path, tmp_path: Path) -> Path:
    """The content imported from the made-up package."""
    import_package(package, tmp_path / "cards", ["walk-daily"])
    return tmp_path / "cards"


def _files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_importing_twice_changes_nothing(package: Path, content: Path) -> None:
    """An unchanged package leaves every file as it is, so a diff shows clinical changes only."""
    before = _files(content)
    import_package(package, content, ["walk-daily"])

    assert before == _files(content)


def test_a_statement_brings_its_home_and_its_reason(content: Path) -> None:
    """A statement keeps its words, why it cannot be computed, and every recommendation it is in."""
    with (content / "statements.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)

    assert (row["statement"], row["text"], row["computable"]) == ("S0-01", "Walking helps", "no")
    assert row["why"] == "walks are not coded"
    assert row["recommendations"] == "walk-daily not-carried"


def test_our_words_outlive_an_import(package: Path, content: Path) -> None:
    """Summary, detail, limits, the pinned code and its note are ours; logic is the package's."""
    path = content / "recommendations" / "walk-daily.yaml"
    ours = read(path)
    ours["card"] |= {"summary": "Consider walking", "detail": "Walk.\n\nDaily."}
    ours["limits"] = "May be wrong in a plaster cast."
    code = {"system": SNOMED, "code": "2", "display": "Walking"}
    ours["suggestions"][0] |= {"code": code, "note": "Half an hour.", "priority": "routine"}
    ours["priority"] = 99
    dump(path, ours)
    import_package(package, content, ["walk-daily"])

    expected = {**ours, "priority": 41}
    assert expected == read(path)


def test_only_what_is_needed_is_carried(content: Path) -> None:
    """Facts, sets, sources and lists name nothing that is not there."""
    definitions = content / "definitions"
    facts = read(definitions / "facts.yaml")

    assert list(facts) == ["deceased", "pain", "pain_new"]
    assert facts["pain_new"]["implies"] == ["pain"]
    assert facts["pain_new"]["yes"] == "under 28 d"
    assert read(definitions / "exclusion_sets.yaml") == {"routine": ["deceased"]}
    assert read(definitions / "set_rules.yaml") == {}
    assert read(definitions / "option_sets.yaml")[0]["rows"] == ["walk-daily"]
    assert read(definitions / "next_step_order.yaml") == []
    assert read(definitions / "exclusive.yaml") == [["pain_new", "pain"]]
    assert list(read(content / "sources.yaml")) == ["made-up-2020"]
    assert read(content / "sources.yaml")["made-up-2020"]["year"] == 2020
    assert list(read(content / "conflicts.yaml")) == ["C-01"]


def test_an_example_keeps_its_meaning(content: Path) -> None:
    """A fact that is not carried is told by what it implies."""
    examples = read(content / "recommendations" / "walk-daily.yaml")["examples"]

    assert examples[0]["present"] == ["pain_new"]


def test_licensed_codes_stand_apart(content: Path) -> None:
    """CPT codes of every set are in one file that can be removed; empty sets are kept."""
    folder = content / "value_sets"

    assert {"cpt.csv", "pain.csv", "walking.csv"} == {path.name for path in folder.iterdir()}
    assert CPT not in (folder / "walking.csv").read_text(encoding="utf-8")
    assert f"walking,{CPT},99999,Walk" in (folder / "cpt.csv").read_text(encoding="utf-8")


def test_a_set_no_longer_used_goes(package: Path, content: Path) -> None:
    """A value set that nothing names any more is removed."""
    stale = content / "value_sets" / "stale.csv"
    stale.write_text(HEADER, encoding="utf-8")
    import_package(package, content, ["walk-daily"])

    assert not stale.exists()


def test_an_unknown_recommendation_is_refused(package: Path, tmp_path: Path) -> None:
    """A misspelt id stops the import before anything is written."""
    with pytest.raises(KeyError):
        import_package(package, tmp_path / "cards", ["walk-dayly"])
    assert not (tmp_path / "cards").exists()


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        ("CT Lumbar spine WO contrast", "lumbar"),
        ("X-ray of lumbosacral spine", "lumbar"),
        ("XR Thoracic spine Views", "thoracic"),
        ("XR Thoracic and lumbar spine 2 Views", "thoracolumbar"),
        ("XR Spine thoracolumbar junction Views", "thoracolumbar"),
        ("MR Sacrum", "sacral"),
        ("XR Sacrum and Coccyx Views", "sacrococcygeal"),
        ("CT Spine", "whole"),
        ("Bone scan, limited area", None),
    ],
)
def test_region_of_an_imaging_code(display: str, expected: str | None) -> None:
    """A study that is changed to MRI must show the same part of the spine."""
    assert expected == region({"display": display})


def test_where_the_package_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line comes first, then the environment, then beside the repository."""
    monkeypatch.setenv("BACKPATH_PACKAGE", "from-environment")

    assert Path("named") == package_directory(["named"])
    assert Path("from-environment") == package_directory([])
    monkeypatch.delenv("BACKPATH_PACKAGE")
    assert ROOT.parent / "shared" / "guideline" == package_directory([])


@pytest.mark.skipif(
    not (package_directory([]) / "recommendations.yaml").exists(),
    reason="the guideline package is not on this machine; the made-up one is tested above",
)
def test_our_content_is_what_the_package_says(tmp_path: Path) -> None:
    """With the package at hand, importing it again changes nothing in our content."""
    copy = tmp_path / "cards"
    names = ("recommendations", "definitions", "value_sets")
    for name in names:
        shutil.copytree(ROOT / "cards" / name, copy / name)
    for name in ("sources.yaml", "conflicts.yaml", "statements.csv"):
        shutil.copy(ROOT / "cards" / name, copy / name)
    before = _files(copy)
    import_package(package_directory([]), copy)

    assert before == _files(copy)


def test_yaml_form_loses_nothing(tmp_path: Path) -> None:
    """Whatever text a file holds, it reads back the same."""
    texts = ["yes", "a: b", "x " * 60 + "x", "two\n\nparagraphs", "- dash", "'quoted'", "1.5"]
    dump(tmp_path / "texts.yaml", {"texts": texts})

    assert texts == yaml.safe_load((tmp_path / "texts.yaml").read_text())["texts"]
