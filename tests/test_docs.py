"""What is written down is true: settings, commands, links, layout, licences."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask

from cards.library import Library, load_library
from cards.trace import uncoded
from service.call_size import MOST_RESOURCES
from service.cli import main
from service.clients import MEMBERS
from service.envelope import read_json
from service.errors import RequestRefused
from service.hooks import discover, judge, service_of_hook
from service.metrics import COUNTERS
from service.prefetch import CODES, templates
from service.profile import PROFILES
from service.settings import PREFIX, Settings, read_settings
from service.shift import as_of
from service.tables import TABLES
from tests.conftest import HOUSE

README = (HOUSE / "README.md").read_text("utf-8")
OPERATORS = (HOUSE / "service" / "README.md").read_text("utf-8")
A_DAY = date(2026, 3, 2)
CPT = "http://www.ama-assn.org/go/cpt"
# Where packages come from, and where somebody's copy of the house lies, is nobody else's business.
MACHINE = re.compile(
    r"(?:pypi|pythonhosted|npmjs|crates)\.(?:org|io|com)\b|--(?:extra-)?index-url"
    r"|(?<![\w.])/(?:home|Users|work|root|mnt)/[\w.]|\b[A-Z]:\\\\?Users\b",
    re.IGNORECASE,
)


def _table(heading: str) -> dict[str, list[str]]:
    """The rows of the tables of a section: first cell, without its backticks, to the others."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def _commands(group: click.Group, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


COMMANDS = sorted(_commands(main, "backpath"))


def test_every_setting_is_in_the_table() -> None:
    """Each variable the service knows is documented, and none that it does not know."""
    known = {PREFIX + field.name.upper() for field in fields(Settings)}

    assert known == set(_table("Configuration"))


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_the_default_told_is_the_default(field: Any) -> None:
    """Setting a variable to the default the README gives changes nothing."""
    variable = PREFIX + field.name.upper()
    told = _table("Configuration")[variable][0]

    if told == "none":
        assert not field.default
    else:
        assert read_settings({variable: told.strip("`")}) == Settings()


def test_every_command_is_in_the_table() -> None:
    """Each command is documented, and none that does not exist."""
    told = {name for name in _table("Commands") if name.startswith("backpath")}

    assert set(COMMANDS) == told


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str) -> None:
    """The example calls the command it stands beside, on a patient who exists."""
    example = _table("Commands")[command][-1].strip("`")
    fixtures = re.findall(r"fhir_fixtures/\S+", example)

    assert f"{command} " in f"{example} "
    assert [name for name in fixtures if not (HOUSE / name).is_file()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_named(command: str) -> None:
    """Each option is explained where the command is, or stands in its example."""
    found: click.Command = main
    for name in command.split()[1:]:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    told = " ".join(_table("Commands")[command])

    assert [p.opts[0] for p in found.params if p.opts[0].startswith("--")] == [
        p.opts[0] for p in found.params if p.opts[0].startswith("--") and p.opts[0] in told
    ]


def test_every_make_target_is_in_the_table() -> None:
    """Each make target is documented, and none that does not exist."""
    makefile = (HOUSE / "Makefile").read_text("utf-8")
    targets = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    told = {name for name in _table("Commands") if name.startswith("make ")}

    assert {f"make {target}" for target in targets} == told


def test_every_service_is_in_the_table(library: Library) -> None:
    """The addresses a client can call are documented."""
    told = " ".join(_table("The services"))

    assert [
        each["id"]
        for each in discover(library)["services"]
        if f"POST /cds-services/{each['id']}" not in told
    ] == []


def _operators(heading: str) -> dict[str, list[str]]:
    """The rows of the tables of a section of the page for operators, as of ``_table``."""
    section = OPERATORS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): [cell.strip(" |`") for cell in row[1:]] for row in rows}


def test_the_prefetch_told_is_the_prefetch_asked_for(library: Library) -> None:
    """Whoever types the table into an EHR asks for what discovery asks for."""
    told = {key: cells[0] for key, cells in _operators("The prefetch to type in").items()}
    asked = templates(library.loinc_codes)

    assert set(asked) == set(told)
    assert {key: query.partition(CODES)[0] for key, query in asked.items()} == {
        key: query.partition(CODES)[0] for key, query in told.items()
    }
    assert told["observations"].endswith(f"{CODES}…")


def test_every_metric_is_told(app: Flask) -> None:
    """An operator finds each metric with its labels, and none that does not exist."""
    told = _operators("Watching it")
    names = {name.strip(" `") for row in told for name in row.split(",")}
    labels = {
        row.split("`")[0]: set(re.findall(r"\w+", cells[0].replace("`", "")))
        for row, cells in told.items()
    }
    served = app.test_client().get("/metrics").text
    families = set(re.findall(r"^# TYPE (backpath_\w+) (?!gauge .*_created)", served, re.MULTILINE))

    assert {name for name in families if not name.endswith("_created")} == names
    for name, (_, wanted) in COUNTERS.items():
        assert labels[f"backpath_{name}_total"] == set(wanted)


def test_every_profile_is_told() -> None:
    """Each kind of client stands in the table, and none that does not exist."""
    assert set(PROFILES) == set(_operators("What a client can show"))


def test_every_member_of_a_client_is_told() -> None:
    """Whoever lists a client knows all that can be said of it."""
    assert set(_operators("Who may call")) == MEMBERS


def test_every_table_is_told() -> None:
    """What is stored is said, table by table."""
    assert set(_operators("What is stored")) == set(TABLES.tables)


def test_the_limits_told_are_the_limits() -> None:
    """Sizes that are refused are said as they are."""
    said = (HOUSE / "service" / "envelopes" / "order-sign.json").read_text("utf-8")

    assert f"{MOST_RESOURCES:,} resources" in OPERATORS
    assert f"{MOST_RESOURCES:,} resources" in README
    assert '"maxItems": 50' in said
    assert "50 draft orders" in OPERATORS


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"BACKPATH_[A-Z_]+", OPERATORS))))
def test_operators_read_of_real_settings(variable: str) -> None:
    """The page for operators names no setting that does not exist."""
    assert variable in {PREFIX + field.name.upper() for field in fields(Settings)}


@pytest.mark.parametrize("page", ["README.md", "service/README.md"])
def test_every_link_to_a_heading_finds_it(page: str) -> None:
    """A link into a page leads to a heading that stands there."""
    text = (HOUSE / page).read_text("utf-8")
    for path, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
        linked = ((HOUSE / page).parent / path).resolve() if path else HOUSE / page
        headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)

        assert anchor in {re.sub(r"[^\w-]", "", h.lower().replace(" ", "-")) for h in headings}


@cache
def _files() -> tuple[str, ...]:
    """The files of the project, tracked or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    names = [name for name in listed.stdout.split("\0") if name]
    return tuple(sorted({name for name in names if (HOUSE / name).is_file()}))


def _pages() -> list[Path]:
    kept = (HOUSE / "cards", HOUSE / "fhir_fixtures", HOUSE / "service", HOUSE / "tests")
    return [HOUSE / "README.md", *(page for folder in kept for page in folder.rglob("*.md"))]


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(HOUSE)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a file of the house finds it."""
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link]

    assert [link for link in local if link and not (page.parent / link).exists()] == []


def _layout() -> list[str]:
    """The paths of the README's tree."""
    tree = README.split("\n## How the house is laid out\n")[1].split("```")[1]
    paths: list[str] = []
    folder = ""
    for line in tree.strip().splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name if name.endswith("/") else ""
            paths.append(name)
        else:
            paths.append(folder + name)
    return paths


@pytest.mark.parametrize("path", _layout())
def test_the_layout_is_the_real_one(path: str) -> None:
    """Every name in the README's tree is there, folders as folders."""
    assert (HOUSE / path).is_dir() if path.endswith("/") else (HOUSE / path).is_file()


def test_the_whole_top_level_is_laid_out() -> None:
    """Nobody meets a folder the README does not mention."""
    if not _files():
        pytest.skip("not a Git work tree")
    top = {name.split("/")[0] for name in _files() if not name.startswith(".")}
    told = {path.split("/")[0] for path in _layout()} | {"README.md", "LICENSE"}

    assert set() == top - told


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from https://" + "pypi" + ".org/simple", True),
        ("--" + "index-url mirror", True),
        ("see /" + "home/anne/backpath", True),
        ("in /" + "work/main", True),
        ("VOLUME /data", False),
        ("https://fhir.example.org/" + "home/x", False),
        ("uv pip compile --no-emit-index-url", False),
    ],
)
def test_a_machine_is_recognised(line: str, found: bool) -> None:
    """The search below finds what it looks for, and not what is harmless."""
    assert found == bool(MACHINE.search(line))


def test_no_file_names_a_machine() -> None:
    """No file tells where packages were fetched from, or where somebody's copy lies."""
    if not _files():
        pytest.skip("not a Git work tree")
    telling = []
    for name in _files():
        text = (HOUSE / name).read_bytes().decode("utf-8", errors="ignore")
        if MACHINE.search(text):
            telling.append(name)

    assert telling == []


def test_the_safety_notice_comes_first() -> None:
    """Whoever reads on has read that the content is a draft and not for patients."""
    notice = README.split("\n## ")[1]

    assert notice.startswith("Clinical safety notice")
    assert "not been reviewed or signed off by a physician and a pharmacist" in notice
    assert "Do not use it in the care of patients" in notice


NOTICES = {
    "RxNorm": """
        This product uses publicly available data courtesy of the U.S. National Library of Medicine
        (NLM), National Institutes of Health, Department of Health and Human Services; NLM is not
        responsible for the product and does not endorse or recommend this or any other product.
    """,
    "LOINC": """
        This material contains content from LOINC (http://loinc.org). LOINC is copyright ©
        1995-2026, Regenstrief Institute, Inc. and the LOINC Committee, and is available at no
        cost under the license at http://loinc.org/license
    """,
    "SNOMED CT": """
        This material includes SNOMED Clinical Terms® (SNOMED CT®) used by permission of SNOMED
        International. SNOMED CT was originally created by the College of American Pathologists.
    """,
    "CPT": "CPT® is a registered trademark of the American Medical Association.",
}


@pytest.mark.parametrize("owner", NOTICES)
def test_the_notice_is_given_word_for_word(owner: str) -> None:
    """The owners of the codes get the notice they ask for."""
    licences = README.split("\n## Licences\n")[1]

    assert " ".join(NOTICES[owner].split()) in " ".join(licences.split())


def test_every_code_system_shipped_is_named(library: Library) -> None:
    """No codes are passed on without a word on whose they are."""
    owners = {
        "hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
        "rxnorm": "RxNorm",
        "loinc.org": "LOINC",
        "snomed.info/sct": "SNOMED CT",
        CPT: "CPT",
        "HCPCS": "HCPCS",
        "terminology.hl7.org": "HL7 terminology",
    }
    systems = {system for system, _ in library.index.exact}
    licences = README.split("\n## Licences\n")[1]
    unnamed = {
        system
        for system in systems
        if not any(
            part.lower() in system.lower() and f"**{name}" in licences
            for part, name in owners.items()
        )
    }

    assert unnamed == set()


@pytest.fixture(scope="module")
def without_cpt(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The content of somebody who has deleted the file of CPT codes."""
    root = tmp_path_factory.mktemp("content") / "cards"
    shutil.copytree(HOUSE / "cards", root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (root / "value_sets" / "cpt.csv").unlink(missing_ok=True)
    return load_library(root)


def _codes(library: Library) -> set[tuple[str, str, str]]:
    return {
        (system, code, name)
        for (system, code), sets in library.index.exact.items()
        for name in sets
    }


def _ordered_by(library: Library, without_cpt: Library) -> set[str]:
    """Recommendations that order by a CPT code, and so offer no order without the file."""
    return {
        name
        for name, recommendation in library.recommendations.items()
        if [s.codes for s in recommendation.suggestions]
        != [s.codes for s in without_cpt.recommendations[name].suggestions]
    }


def _silent(library: Library, without_cpt: Library) -> set[str]:
    """Recommendations that rest on a fact which nothing but CPT codes can answer."""
    return {
        name
        for name, recommendation in library.recommendations.items()
        if uncoded(recommendation, library)
        != uncoded(without_cpt.recommendations[name], without_cpt)
    }


def test_the_cpt_codes_stand_in_one_file(library: Library, without_cpt: Library) -> None:
    """Deleting that file takes away every CPT code and nothing else."""
    gone = _codes(library) - _codes(without_cpt)

    assert {CPT} == {system for system, _, _ in gone}
    assert CPT not in {system for system, _, _ in _codes(without_cpt)}
    assert library.index.prefixes == without_cpt.index.prefixes
    assert _ordered_by(library, without_cpt) == {"reassess-2-to-4-weeks"}
    assert library.loinc_codes == without_cpt.loinc_codes
    assert _silent(library, without_cpt) == {
        "low-level-laser-therapy",
        "trigger-point-injection-persistent",
        "trigger-point-injection-technique",
    }


def _requests() -> list[Any]:
    return [
        pytest.param(path, id=path.parent.name)
        for path in sorted((HOUSE / "fhir_fixtures").glob("*/request.json"))
    ]


def _cards(path: Path, library: Library) -> Any:
    """The cards of a stored request and what failed; None when it is refused."""
    request = read_json(path.read_bytes())
    service = service_of_hook(request["hook"])
    try:
        advice = judge(request, service, library, as_of(request) or A_DAY).advice
    except RequestRefused:
        return None
    return advice.cards, advice.errors


def _ids(cards: Any) -> list[str]:
    """The recommendations on some cards, whether they lead or are rows."""
    return [i for c in cards for i in c["extension"]["org.backpath.card"]["recommendations"]]


@pytest.mark.parametrize("path", _requests())
def test_patients_without_cpt_codes_get_the_same_cards(
    path: Path, library: Library, without_cpt: Library
) -> None:
    """Without the CPT file nothing fails, and whoever has no CPT code gets what they got."""
    expected, got = _cards(path, library), _cards(path, without_cpt)

    if got is not None:
        assert got[1] == ()
    touched = _ordered_by(library, without_cpt) | _silent(library, without_cpt)
    if CPT not in path.read_text("utf-8") and expected is not None:
        assert touched & set(_ids(expected[0])) or expected == got
