"""A clinician who follows cards/README.md to the letter gets a working recommendation."""

from __future__ import annotations

import re
import shutil
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from cards.advise import Advice
from cards.content import ContentError
from cards.explanation import explain, in_words
from cards.library import Library, load_library
from service.envelope import read_json
from service.hooks import judge, service_of_hook
from service.shift import as_of
from tests.conftest import HOUSE
from tests.example_patients import outcome

README = (HOUSE / "cards" / "README.md").read_text("utf-8")
A_DAY = date(2026, 3, 2)


def _found(pattern: str) -> str:
    """The one passage of the README that fits."""
    passages = re.findall(pattern, README, re.MULTILINE | re.DOTALL)
    assert len(passages) == 1, pattern
    return str(passages[0])


FILE = _found(r"create a file named `([a-z-]+\.yaml)`")
EXAMPLE = _found(r"^```yaml\n(.*?)^```$")
REQUEST = _found(r"^\.venv/bin/backpath evaluate (fhir_fixtures/\S+/request\.json) --explain$")
EXPLAINED = re.findall(r"^```text\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
NEW = Path(FILE).stem


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the content, without the programs."""
    root = tmp_path / "cards"
    shutil.copytree(HOUSE / "cards", root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    # Whoever has just tried the README in the real folder still gets a passing test.
    (root / "recommendations" / FILE).unlink(missing_ok=True)
    return root


def _save(content: Path, text: str) -> None:
    (content / "recommendations" / FILE).write_text(text, encoding="utf-8")


def _advice(content: Path, request_file: str) -> Advice:
    request = read_json((HOUSE / request_file).read_bytes())
    service = service_of_hook(request["hook"])
    return judge(request, service, _library(content), as_of(request) or A_DAY).advice


def _explained(content: Path, request_file: str) -> str:
    return in_words(explain(_advice(content, request_file), _library(content))) + "\n"


def _library(content: Path) -> Library:
    """The content as it is now, read anew only when the new file has changed."""
    file = content / "recommendations" / FILE
    return _read(content, file.read_text("utf-8") if file.exists() else "")


@cache
def _read(content: Path, _new: str) -> Library:
    return load_library(content)


def _cards(advice: Advice) -> list[str]:
    return [card["source"]["topic"]["code"] for card in advice.cards]


def test_one_new_file_is_enough(content: Path) -> None:
    """Saving the README's file in its folder makes the recommendation known."""
    before = load_library(content)
    _save(content, EXAMPLE)
    after = load_library(content)

    assert {NEW} == set(after.recommendations) - set(before.recommendations)


def test_the_named_patient_gets_the_card(content: Path) -> None:
    """The README's synthetic patient gets the new card, and did not get it before."""
    before = _cards(_advice(content, REQUEST))
    _save(content, EXAMPLE)
    advice = _advice(content, REQUEST)

    assert advice.errors == ()
    assert NEW not in before
    assert sorted([*before, NEW]) == sorted(_cards(advice))


def test_the_patients_whose_cards_change_are_told(content: Path) -> None:
    """The synthetic patients the README says will change do get the new card."""
    sentence = _found(r"The tests now name synthetic patients, such as (.*?), who get")
    _save(content, EXAMPLE)
    named = re.findall(r"`([a-z0-9-]+)`", sentence)

    assert len(named) == 2
    assert all(NEW in _cards(_advice(content, f"fhir_fixtures/{n}/request.json")) for n in named)


def test_the_card_says_what_the_file_says(content: Path) -> None:
    """The wording, the source and the warning of the draft stand on the new card."""
    _save(content, EXAMPLE)
    told = load_library(content).recommendations[NEW]
    card = next(
        card for card in _advice(content, REQUEST).cards if card["source"]["topic"]["code"] == NEW
    )

    assert (card["summary"], card["indicator"]) == (told.summary, "info")
    assert card["detail"].startswith(told.detail)
    assert "not clinically signed off" in card["detail"]
    assert [each["code"] for each in card["overrideReasons"]] == list(told.override_reasons)


def test_the_explanation_is_the_one_shown(content: Path) -> None:
    """``--explain`` prints the lines the README shows, for both of its patients."""
    _save(content, EXAMPLE)
    shown, unknown = EXPLAINED
    other = _found(r"Try `([a-z-]+)` as well")

    assert shown in _explained(content, REQUEST)
    assert unknown in _explained(content, f"fhir_fixtures/{other}/request.json")


def test_its_example_patients_are_right(content: Path) -> None:
    """Each example patient in the README's file gets what the file expects."""
    _save(content, EXAMPLE)
    library = load_library(content)
    recommendation = library.recommendations[NEW]
    expected = [(example.expect, example.indicator) for example in recommendation.examples]

    assert expected == [
        outcome(recommendation, example, library) for example in recommendation.examples
    ]
    assert {"shown", "withheld"} <= {example.expect for example in recommendation.examples}
    assert any(example.unknown for example in recommendation.examples)


LONG = "Encourage keeping up exercise. ".ljust(140, "x")
CITED = "sources:\n  - acp-2017\n"
MISTAKES = [
    ("unknown fact", r"- exercise_on_record_84d(?=\nexclusions)", "- exercise_84d"),
    ("140 characters", r"(?<=  summary: ).*", LONG),
    ("no citation", CITED, "sources: []\n"),
    ("sources left out", CITED, ""),
    ("unknown source", "acp-2017", "acp-2071"),
    ("no withheld", "expect: withheld", "expect: shown"),
    ("duplicate key", r"(?<=priority: 70\n)", "priority: 71\n"),
    ("tab", r"  - patient-view", "\t- patient-view"),
]
# What the README says to each mistake, in the same order; a dash stands for the words between.
MESSAGES = [
    re.findall(r"`([^`]+)`", row.rsplit("|", 2)[1])
    for row in _found(r"^\| mistake \| message \|\n\|---\|---\|\n(.*?)\n\n").splitlines()
]


def test_every_mistake_shown_is_tried() -> None:
    """No message of the README goes unchecked."""
    assert len(MESSAGES) == len(MISTAKES)


@pytest.mark.parametrize(
    ("pattern", "spoilt", "said"),
    [
        pytest.param(pattern, spoilt, said, id=what)
        for (what, pattern, spoilt), said in zip(MISTAKES, MESSAGES, strict=True)
    ],
)
def test_a_mistake_stops_the_start(
    content: Path, pattern: str, spoilt: str, said: list[str]
) -> None:
    """Each mistake of the README stops the start and is reported with file and line as shown."""
    text = re.sub(pattern, lambda _: spoilt, EXAMPLE)
    assert text != EXAMPLE
    _save(content, text)

    with pytest.raises(ContentError) as stopped:
        load_library(content)

    message = str(stopped.value)
    assert re.match(rf"recommendations/{re.escape(FILE)}:\d+: ", message)
    assert message.startswith(said[0])
    assert message.endswith(said[-1])


def test_a_summary_of_139_characters_is_short_enough(content: Path) -> None:
    """The limit is where the README says it is."""
    _save(content, re.sub(r"(?<=  summary: ).*", lambda _: LONG[:139], EXAMPLE))

    assert len(load_library(content).recommendations[NEW].summary) == 139


def test_every_field_is_explained() -> None:
    """A clinician finds every field of a recommendation and of an example in the README."""
    schema = read_json((HOUSE / "cards" / "schemas" / "recommendation.schema.json").read_bytes())
    named = set(re.findall(r"`([a-z_]+)`", "\n".join(_first_cells())))
    card = set(schema["properties"]["card"]["properties"])

    assert {f"card.{part}" for part in card} <= set(re.findall(r"`([a-z_.]+)`", README))
    assert set() == set(schema["properties"]) - {"card"} - named
    assert set() == set(schema["$defs"]["example"]["properties"]) - named


def _first_cells() -> list[str]:
    return [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
