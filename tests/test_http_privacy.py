"""Nothing of a chart reaches a log line or an error body, for every synthetic patient."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.shift import as_of
from tests.conftest import A_DAY, HOUSE

FIXTURES = sorted((HOUSE / "fhir_fixtures").glob("*/request.json"))
# Where a chart holds what could name somebody; codes and statuses are no secrets.
TELLING = {"id", "display", "text", "family", "given", "valueString", "reference", "patientId"}


def _chart_texts(value: Any, member: str = "") -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _chart_texts(inner, name)
        case list():
            for inner in value:
                yield from _chart_texts(inner, member)
        case str() if value and (member in TELLING or "date" in member.lower()):
            yield value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield name
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case str():
            yield value


def _told(chart: set[str], said: list[Any]) -> set[str]:
    """Chart texts that stand in what was said: short ones as a whole, others anywhere."""
    spoken = list(_texts(said))
    return {
        text
        for text in chart
        if text in spoken or (len(text) >= 6 and any(text in words for words in spoken))
    }


def _broken(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The request spoilt in ways that lead to an error about the chart."""
    without = copy.deepcopy(request)
    without.pop("prefetch", None)
    yield without
    stranger = copy.deepcopy(request)
    stranger["context"]["patientId"] = "somebody-else"
    yield stranger
    referring = copy.deepcopy(request)
    referring["context"]["patientId"] = f"Patient/{request['context']['patientId']}"
    yield referring
    told = copy.deepcopy(request)
    told["hookInstance"] = {"patient": request.get("prefetch")}
    yield told


@pytest.mark.parametrize("path", FIXTURES, ids=[path.parent.name for path in FIXTURES])
def test_logs_and_errors_tell_nothing_of_the_chart(
    path: Path,
    client_on: Callable[[date], FlaskClient],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever reads a log or an error body learns nothing about a patient."""
    request = json.loads(path.read_text("utf-8"))
    client = client_on(as_of(request) or A_DAY)
    url = f"/cds-services/back-pain-{request['hook']}"
    asking = {**request["extension"], "org.backpath.request": {"explain": True}}
    for asked in (request, {**request, "extension": asking}):
        client.post(url, json=asked)
    refused = [client.post(url, json=spoilt) for spoilt in _broken(request)]
    said = [response.json for response in refused]
    said += [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    chart = {text for text in _chart_texts(request) if len(text) > 1}

    assert {response.status_code for response in refused} <= {400, 412}
    assert len(said) == 4 + 6
    assert _told(chart, said) == set()
