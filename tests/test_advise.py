"""From a record to cards: a failing rule silences no other, and drafts are judged one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.advise import Advice, advise
from cards.case import Case
from cards.facts import FACTS
from cards.library import Library
from service.app import create_app
from service.settings import Settings
from tests.fixture_cards import Fixture, fixtures
from tests.reading import reading


def fixture(name: str) -> Fixture:
    return next(fixture for fixture in fixtures() if fixture.name == name)


def leaders(advice: Advice) -> list[str]:
    return [card["source"]["topic"]["code"] for card in advice.cards]


def fail(*_: object) -> None:
    raise RuntimeError("Foot drop of Mrs Example")


def test_a_failing_fact_silences_no_other_card(
    library: Library, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """One fact that raises takes its own recommendations away, says so, and nothing else."""
    story = fixture("high-and-moderate-red-flags")
    monkeypatch.setitem(FACTS, "trauma_fits_pain", fail)
    app = create_app(settings, today=lambda: story.as_of, library=replace(library))
    client: FlaskClient = app.test_client()

    response = client.post(f"/cds-services/{story.service}", json=story.request)
    body = response.get_json()
    codes = [card["source"]["topic"]["code"] for card in body["cards"]]

    assert response.status_code == 200
    assert "rf-progressive-neurologic-deficit" in codes
    assert "rf-significant-trauma" in body["extension"]["org.backpath.response"]["errors"]
    assert "Mrs Example" not in caplog.text + response.text


@pytest.mark.parametrize("name", sorted(FACTS))
def test_any_one_failing_fact_is_told_and_no_call_is_lost(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whichever fact fails, the call is answered, and what could not be judged is named."""
    story = fixture("high-and-moderate-red-flags")
    chart = reading(story.request, story.as_of, library).record
    asked: list[str] = []

    def fail_and_tell(case: object) -> None:
        if isinstance(case, Case):  # and no empty chart
            asked.append(name)
        raise RuntimeError

    monkeypatch.setitem(FACTS, name, fail_and_tell)
    advice = advise(chart, story.as_of, replace(library))

    assert bool(advice.errors) == bool(asked)
    assert set(advice.errors) <= set(library.recommendations)


def test_a_card_that_cannot_be_built_is_named(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the wording of one card fails, the other is returned and the failure is named."""
    story = fixture("xray-with-cauda-equina")
    broken = replace(library, conflicts={})  # imaging-indicated cites a difference of sources

    advice = advise(reading(story.request, story.as_of, library).record, story.as_of, broken)

    assert leaders(advice) == ["rf-cauda-equina"]
    assert advice.errors == ("imaging-indicated",)


def test_only_selected_drafts_are_judged(library: Library) -> None:
    """On order-select the draft nobody selected raises no card; on signing it does."""
    story = fixture("only-the-selected-draft")
    chart = reading(story.request, story.as_of, library).record
    everything = tuple(replace(draft, selected=True) for draft in chart.drafts)

    selected = leaders(advise(chart, story.as_of, library))
    signed = leaders(advise(replace(chart, drafts=everything), story.as_of, library))

    assert selected != signed
    assert set(selected) <= set(signed)


def test_every_recommendation_of_the_hook_gets_a_verdict(library: Library) -> None:
    """Nothing is silently left out: each recommendation that may speak here is accounted for."""
    for story in fixtures():
        if "status" in story.expected:
            continue
        chart = reading(story.request, story.as_of, library).record
        advice = advise(chart, story.as_of, library)
        judged = {verdict.id for verdict in advice.verdicts}
        alone = {r.id for r in library.cards[chart.hook] if r.id not in library.about_drafts}

        assert alone <= judged
        assert all(verdict.deciding for verdict in advice.verdicts)


def test_the_day_decides(library: Library) -> None:
    """The same record on a later day can be another phase; the record itself is unchanged."""
    story = fixture("low-back-84-days")
    chart = reading(story.request, story.as_of, library).record
    phases = [
        advise(chart, day, library).cards[0]["extension"]["org.backpath.card"]["phase"]
        for day in (story.as_of, date.fromordinal(story.as_of.toordinal() + 1))
    ]

    assert phases == ["subacute", "chronic"]
