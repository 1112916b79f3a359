"""Nothing of a chart reaches a log line, the console, an error body or the feedback file."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.library import load_library
from service.app import create_app
from service.settings import Settings
from tests.generated_records import STORED, TODAY, Stored, address

LIBRARY = load_library()
TOKEN = "eyJhbGciOiJub25lIn0.Qm9nZGFub3ZpY2g.c2lnbmF0dXJl"
COMMENT = "Mrs Quillfeather's daughter Ottoline rang about the morphine"
CARD = "4c1b3b0e-5f0a-4a63-9f0e-0a4f6a4f3b11"
# Members that hold FHIR's own vocabulary, which our messages may use as well.
VOCABULARY = frozenset(
    {"system", "resourceType", "status", "intent", "use", "mode", "relation", "type", "gender"}
    | {"hook", "priority", "criticality", "severity", "unit", "comparator", "profile"}
)
CODED_STATUS = frozenset({"clinicalStatus", "verificationStatus", "category", "class", "issue"})
SHORTEST = 4


class Heard(logging.Handler):
    """Keeps every log record of any logger, with its arguments, extras and exception text."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self._written = logging.Formatter("%(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep all a record bears but its time, which may resemble a date of the chart."""
        told = {
            name: value
            for name, value in vars(record).items()
            if name not in {"created", "msecs", "relativeCreated", "asctime", "pathname"}
        }
        self.lines.append(f"{self._written.format(record)} {told!r}")


def _chart_texts(value: Any, member: str = "") -> Iterator[str]:
    """Every text of a chart but FHIR's own words: names, ids, dates, codes, displays, notes."""
    match value:
        case dict():
            for name, inner in value.items():
                if name not in CODED_STATUS:
                    yield from _chart_texts(inner, name)
        case list():
            for inner in value:
                yield from _chart_texts(inner, member)
        case str() if len(value) >= SHORTEST and member not in VOCABULARY:
            yield value


def _secrets(stored: Stored) -> set[str]:
    """What of a request must stay in it; a reference also as the bare id within it."""
    request = stored.request
    texts = {*_chart_texts(request["context"]), *_chart_texts(request["prefetch"])}
    bare = {text.rpartition("/")[2] for text in texts if re.fullmatch(r"\S+/[\w.-]+", text)}
    return {text for text in texts | bare if len(text) >= SHORTEST}


def _leaked(secrets: set[str], said: str) -> set[str]:
    """The secrets that stand in what was said, as words of their own."""
    return {
        text
        for text in secrets
        if text in said and re.search(rf"(?<![\w-]){re.escape(text)}(?![\w-])", said)
    }


def _without_times(console: str) -> str:
    """What was printed, less the time of each line: the clock may show a date of the chart."""
    return re.sub(r'"time": "[^"]*"', "", console)


def _spoilt(stored: Stored) -> Iterator[tuple[str, dict[str, Any], str]]:
    """(what is wrong, request, address) of calls that lead to an error or to dropped entries."""
    to = address(stored.request)
    wrong = stored.copy()
    wrong["prefetch"]["patient"]["id"] = "somebody-else"
    yield "wrong patient", wrong, to
    absent = stored.copy()
    del absent["prefetch"]["patient"]
    yield "no patient", absent, to
    failed = stored.copy()
    failed["prefetch"]["patient"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception", "diagnostics": "x"}],
    }
    yield "failed patient", failed, to
    shape = stored.copy()
    shape["context"]["patientId"] = [shape["context"]["patientId"]]
    shape["prefetch"] = [shape["prefetch"]]
    yield "malformed envelope", shape, to
    element = stored.copy()
    for value in element["prefetch"].values():
        for entry in value.get("entry", []):
            resource = entry["resource"]
            resource["code"] = resource["subject"] = [[str(resource)]]
    yield "malformed elements", element, to
    yield (
        "unknown service",
        stored.copy(),
        "/cds-services/" + stored.request["context"]["patientId"],
    )
    hook = stored.copy()
    hook["hook"] = stored.request["context"]["patientId"]
    yield "unknown hook", hook, to
    yield "feedback in place of a call", stored.copy(), f"{to}/feedback"


@pytest.fixture
def heard() -> Iterator[Heard]:
    """All that any logger says, at the lowest level."""
    handler = Heard()
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def clinic(tmp_path: Path, heard: Heard) -> FlaskClient:  # listens from the start
    """The application, as talkative as it can be."""
    house = Settings(database_url=f"sqlite:///{tmp_path}/feedback.sqlite3", log_level="debug")
    return create_app(house, today=lambda: TODAY, library=LIBRARY).test_client()


def _stored_bytes(folder: Path) -> str:
    """Everything in the files of the feedback database."""
    return "".join(path.read_bytes().decode("latin-1") for path in folder.glob("feedback.sqlite3*"))


def _feedback(**members: Any) -> dict[str, Any]:
    entry = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-06-15T10:00:00Z"}
    return {"feedback": [{**entry, **members}]}


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)
def test_nothing_of_a_chart_is_told(
    clinic: FlaskClient,
    heard: Heard,
    stored: Stored,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Answered, refused or spoilt: a call leaves no word of the chart outside its cards.

    Neither does a client that takes the patient for the id of its request.
    """
    secrets = _secrets(stored)
    bearer = {
        "Authorization": f"Bearer {TOKEN}",
        "X-Request-ID": stored.request["context"]["patientId"],
    }
    clinic.post(address(stored.request), json=stored.request, headers=bearer)
    refused = []
    for what, request, to in _spoilt(stored):
        response = clinic.post(to, json=request, headers=bearer)
        assert response.status_code < 500, what
        if response.status_code != 200:
            refused.append(response.text)
    clinic.post(f"{address(stored.request)}/feedback", json=_feedback(userComment=str(secrets)))
    counted = clinic.get("/metrics").text
    console = capfd.readouterr()

    assert len(refused) >= 7
    assert len(heard.lines) >= 9
    secrets |= {TOKEN}
    assert _leaked(secrets, "\n".join(refused)) == set()
    assert _leaked(secrets, counted) == set()
    assert _leaked(secrets, "\n".join(heard.lines)) == set()
    assert _leaked(secrets, _without_times(console.out + console.err)) == set()
    assert _leaked(secrets - {str(TODAY)}, _stored_bytes(tmp_path)) == set()


def test_a_comment_is_neither_kept_nor_told(
    clinic: FlaskClient, heard: Heard, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A clinician's free text may name the patient; only the coded reason is kept."""
    reason = {"code": "already-addressed", "system": "urn:backpath:override-reason"}
    response = clinic.post(
        "/cds-services/back-pain-patient-view/feedback",
        json=_feedback(
            userComment=COMMENT,
            overrideReason={"reason": {**reason, "display": COMMENT}, "userComment": COMMENT},
        ),
    )
    console = capfd.readouterr()
    kept = _stored_bytes(tmp_path)
    told = "\n".join([*heard.lines, console.out, console.err, response.text])

    assert response.status_code == 200
    assert CARD in kept
    assert "already-addressed" in kept
    for word in ("Quillfeather", "Ottoline", "morphine"):
        assert word not in kept
        assert word not in told


def test_a_refused_comment_is_not_told_either(
    clinic: FlaskClient, heard: Heard, tmp_path: Path
) -> None:
    """A malformed feedback is refused without quoting it, and nothing of it is kept."""
    for broken in ({"outcome": COMMENT}, {"card": [COMMENT]}, {"outcomeTimestamp": COMMENT}):
        response = clinic.post(
            "/cds-services/back-pain-patient-view/feedback",
            json=_feedback(**{"userComment": COMMENT, **broken}),
        )

        assert response.status_code == 400
        assert "Quillfeather" not in response.text
    assert "Quillfeather" not in "\n".join(heard.lines)
    assert "Quillfeather" not in _stored_bytes(tmp_path)


def test_a_chart_is_full_of_secrets() -> None:
    """The tests above look for names, ids, birth dates, displays and notes, not for nothing."""
    stored = next(one for one in STORED if one.name == "cauda-equina-with-sciatica")
    secrets = _secrets(stored)

    assert {
        "Ashgrove",
        "Gwendolyn",
        "pt-ashgrove",
        "1974-10-31",
        "Cauda equina syndrome",
    } <= secrets
    assert any("sings alto" in text for text in secrets)
    assert _leaked(secrets, "the card of Gwendolyn was refused") == {"Gwendolyn"}
