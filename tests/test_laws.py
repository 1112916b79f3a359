"""Laws that hold for every patient, whatever the chart: chance looks for one who breaks them."""

from __future__ import annotations

import copy
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from hypothesis import assume, given
from hypothesis import strategies as st

from cards.advise import Advice, advise
from cards.answer import NO, UNKNOWN, YES, Answer, Finding
from cards.answers import Answers, CallAnswers, GivenAnswers
from cards.case import Case
from cards.codes import ICD10CM
from cards.criteria import Ask
from cards.facts.vocabulary import closure
from cards.library import Library, load_library
from cards.offer import unbarred
from cards.pathway import RED_FLAG_STATE
from cards.recommend import Verdict, judge, offered
from cards.recommendation import Recommendation, SuggestionTemplate
from cards.record import Draft, HookName, PatientRecord
from service.app import create_app
from service.patient_record.bundle import resource_of
from service.settings import Settings
from tests.conftest import HOUSE
from tests.generated_care import (
    calls,
    drafts,
    painless_orders,
    quiet_days,
    signed,
    unrelated,
    views_under_care,
)
from tests.generated_records import (
    PAIN_SETS,
    STORED,
    TODAY,
    ClientOn,
    Stored,
    added,
    back_pain_views,
    bundles,
    cards_of,
    concept,
    diagnosis,
    law,
    painless_views,
    prescribed,
    red_flag_conditions,
    sent,
    unrelated_resources,
    view,
    without_uuids,
)
from tests.reading import reading

LIBRARY = load_library()
# Without its conditions this patient's call is refused, as tests of their own say.
ANSWERED = [stored for stored in STORED if stored.name != "conditions-missing"]
VIEWS = [stored for stored in ANSWERED if stored.request["hook"] == "patient-view"]
every_patient = pytest.mark.parametrize("stored", ANSWERED, ids=lambda stored: stored.name)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> ClientOn:
    """Gives a client of an application for which it is a certain day."""
    folder = tmp_path_factory.mktemp("laws")
    house = Settings(database_url=f"sqlite:///{folder}/feedback.sqlite3", log_level="error")
    clients: dict[date, FlaskClient] = {}

    def client(day: date) -> FlaskClient:
        if day not in clients:
            app = create_app(house, today=lambda: day, library=LIBRARY)
            clients[day] = app.test_client()
        return clients[day]

    return client


def _advised(request: Mapping[str, Any], day: date = TODAY) -> Advice:
    """The advice on a call, of which no part failed."""
    advice = advise(reading(request, day, LIBRARY).record, day, LIBRARY)
    assert not advice.errors, advice.errors
    return advice


def _answered(on: ClientOn, stored: Stored) -> list[dict[str, Any]]:
    """The cards of a synthetic patient."""
    return cards_of(on(stored.day), stored.request)


def _critical(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [card for card in cards if card["indicator"] == "critical"]


def _advice(cards: list[dict[str, Any]]) -> set[str]:
    """Every recommendation the cards stand for."""
    return {
        name for card in cards for name in card["extension"]["org.backpath.card"]["recommendations"]
    }


# The same chart, the same cards


@every_patient
def test_the_same_call_twice_gives_the_same_cards(on: ClientOn, stored: Stored) -> None:
    """A clinician who opens the chart again reads the same; only the uuids are new."""
    assert _answered(on, stored) == cards_of(on(stored.day), stored.request)


@law(150)
@given(request=back_pain_views())
def test_any_call_twice_gives_the_same_cards(on: ClientOn, request: dict[str, Any]) -> None:
    """The same holds for patients nobody wrote down."""
    assert cards_of(on(TODAY), request) == cards_of(on(TODAY), request)


@every_patient
def test_the_order_of_entries_does_not_matter(on: ClientOn, stored: Stored) -> None:
    """A server may list a chart in any order."""
    expected = _answered(on, stored)
    chance = random.Random(stored.name)
    for reorder in (list.reverse, chance.shuffle):
        request = stored.copy()
        for bundle in bundles(request):
            reorder(bundle["entry"])

        assert expected == cards_of(on(stored.day), request)


@law(200)
@given(request=back_pain_views(), chance=st.randoms(use_true_random=False))
def test_the_order_of_any_entries_does_not_matter(
    on: ClientOn, request: dict[str, Any], chance: random.Random
) -> None:
    """Nor for patients nobody wrote down, entries with equal dates included."""
    expected = cards_of(on(TODAY), request)
    for bundle in bundles(request):
        chance.shuffle(bundle["entry"])

    assert expected == cards_of(on(TODAY), request)


# No back pain, no card


@law(200)
@given(request=painless_views(LIBRARY.index))
def test_no_back_pain_no_card(on: ClientOn, request: dict[str, Any]) -> None:
    """Cancer, fever or opioids alone are no matter for back-pain advice."""
    assert cards_of(on(TODAY), request) == []


# A draft of a treatment or a study of the spine is of the back by itself: so the guidelines have it
# for manipulation that may do harm, and for imaging that a red flag calls for.
ORDERS_OF_THE_SPINE = frozenset({"spinal-manipulation-contraindicated", "imaging-indicated"})


@law(150)
@given(request=painless_orders(LIBRARY.index))
def test_no_order_in_a_painless_chart_gets_a_card(on: ClientOn, request: dict[str, Any]) -> None:
    """Nor does an order when neither it nor the chart is about a painful back."""
    assert _advice(cards_of(on(TODAY), request)) <= ORDERS_OF_THE_SPINE


@pytest.mark.parametrize("stored", VIEWS, ids=lambda stored: stored.name)
def test_without_their_back_pain_patients_get_no_card(on: ClientOn, stored: Stored) -> None:
    """Every synthetic patient falls silent when the problem of the back is taken away."""
    _answered(on, stored)
    request = stored.copy()
    for bundle in bundles(request):
        kept = [entry for entry in bundle["entry"] if not _painful(entry)]
        if isinstance(bundle.get("total"), int):
            bundle["total"] -= len(bundle["entry"]) - len(kept)
        bundle["entry"] = kept

    assert cards_of(on(stored.day), request) == []


def _painful(entry: dict[str, Any]) -> bool:
    resource = resource_of(entry)
    if not isinstance(resource, dict) or resource.get("resourceType") != "Condition":
        return False
    code = resource.get("code")
    codings = code.get("coding", []) if isinstance(code, dict) else []
    codings = codings if isinstance(codings, list) else [codings]
    words = str(code).lower()
    # Broken shapes and undotted codes are read by the service, so words decide here as well.
    return (
        "back" in words
        or "lumb" in words
        or "dorsalgia" in words
        or any(
            PAIN_SETS & set(LIBRARY.index.sets_of(c.get("system", ""), c.get("code", "")))
            for c in codings
            if isinstance(c, dict)
        )
    )


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_an_order_that_is_not_for_the_back_gets_no_card(on: ClientOn, hook: str) -> None:
    """A knee radiograph and an antibiotic in a chart without back pain raise nothing."""
    request: dict[str, Any] = copy.deepcopy(VIEWS[0].request)
    subject = {"reference": f"Patient/{request['context']['patientId']}"}
    for bundle in bundles(request):
        bundle |= {"entry": [], "total": 0}
    common = {"status": "draft", "intent": "order", "subject": subject}
    knee = concept("http://www.ama-assn.org/go/cpt", "73560", "Radiograph of the knee")
    drug = concept("http://www.nlm.nih.gov/research/umls/rxnorm", "723", "amoxicillin")
    orders = [
        {"resourceType": "ServiceRequest", "id": "x", "code": knee, **common},
        {"resourceType": "MedicationRequest", "id": "m", "medicationCodeableConcept": drug}
        | common,
    ]
    request["hook"] = hook
    request["context"] |= {
        "selections": ["ServiceRequest/x", "MedicationRequest/m"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": o} for o in orders]},
    }

    assert cards_of(on(TODAY), request) == []


# Learning more


@law(250)
@given(
    stored=st.sampled_from(ANSWERED),
    red_flag=red_flag_conditions(),
)
def test_a_further_red_flag_never_hides_a_critical_card(
    on: ClientOn, stored: Stored, red_flag: dict[str, Any]
) -> None:
    """An emergency stays an emergency whatever else is found."""
    before = _critical(cards_of(on(stored.day), stored.request))
    after = _critical(cards_of(on(stored.day), added(stored.request, "conditions", red_flag)))

    leaders = {card["source"]["topic"]["code"] for card in before}
    silenced = OPIOID_CARDS if _is_cancer(red_flag) else set()
    assert leaders - silenced <= _advice(after)


# Opioid rules do not speak in cancer care; the package asks for it.
OPIOID_CARDS = {r.id for r in LIBRARY.recommendations.values() if r.merge_group == "opioid-safety"}


def _is_cancer(condition: dict[str, Any]) -> bool:
    sets = (LIBRARY.index.sets_of(c["system"], c["code"]) for c in condition["code"]["coding"])
    return any("malignant-neoplasm" in found for found in sets)


@law(120)
@given(request=back_pain_views(), red_flag=red_flag_conditions(), days=st.integers(0, 14))
def test_a_further_red_flag_never_hides_any_emergency(
    on: ClientOn, request: dict[str, Any], red_flag: dict[str, Any], days: int
) -> None:
    """The same for patients nobody wrote down who have a cauda equina syndrome."""
    emergency = diagnosis(ICD10CM, "G83.4", "Cauda equina syndrome", days)
    request = added(request, "conditions", emergency)
    before = _critical(cards_of(on(TODAY), request))
    after = _critical(cards_of(on(TODAY), added(request, "conditions", red_flag)))

    assert {card["source"]["topic"]["code"] for card in before} <= _advice(after)


@every_patient
def test_unrelated_entries_change_nothing(on: ClientOn, stored: Stored) -> None:
    """Hypertension, an HbA1c or a vaccination do not alter advice about a back."""
    expected = _answered(on, stored)
    request = stored.request
    for key, resource in unrelated_resources():
        request = added(request, key, resource)

    assert expected == cards_of(on(stored.day), request)


@law(150)
@given(request=calls(), entry=unrelated(LIBRARY.index))
def test_an_unrelated_entry_changes_no_card_and_no_reason(
    on: ClientOn, request: dict[str, Any], entry: tuple[str, dict[str, Any]]
) -> None:
    """Nor for patients nobody wrote down; every fact is decided by the same entries as before."""
    request["extension"] = {"org.backpath.request": {"explain": True}}
    before = sent(on(TODAY), request).json
    after = sent(on(TODAY), added(request, *entry)).json

    assert "explanation" in before["extension"]["org.backpath.response"]
    assert without_uuids(before) == without_uuids(after)


# Few cards, and none for whom the guidelines were not written


def _lawful(cards: list[dict[str, Any]], library: Library) -> None:
    """Check the promises about one patient-view response."""
    assert len(cards) <= 3 or all(card["indicator"] == "critical" for card in cards)
    ranks = [("critical", "warning", "info").index(card["indicator"]) for card in cards]
    assert ranks == sorted(ranks)
    groups = [
        (library.recommendations[card["source"]["topic"]["code"]].merge_group, card["indicator"])
        for card in cards
    ]
    urgent = any(group == "red-flag" and indicator != "info" for group, indicator in groups)
    steps = sum(group == "next-step" for group, _ in groups)
    assert steps <= (0 if urgent else 1)


@pytest.mark.parametrize("stored", VIEWS, ids=lambda stored: stored.name)
def test_few_cards_and_no_next_step_beside_a_red_flag(on: ClientOn, stored: Stored) -> None:
    """At most three cards unless all are critical; routine care waits while a red flag is open."""
    _lawful(_answered(on, stored), LIBRARY)


@law(250)
@given(request=back_pain_views())
def test_few_cards_for_any_patient(on: ClientOn, request: dict[str, Any]) -> None:
    """The same for patients nobody wrote down."""
    _lawful(cards_of(on(TODAY), request), LIBRARY)


@law(250)
@given(request=calls())
def test_few_cards_under_care(request: dict[str, Any]) -> None:
    """The same under weeks of care; on orders three about one draft, five in all."""
    cards = list(_advised(request).cards)
    if request["hook"] == "patient-view":
        _lawful(cards, LIBRARY)
    else:
        assert len([card for card in cards if card["indicator"] != "critical"]) <= 5


# No routine advice beside an open red flag

ROUTINE = frozenset({"routine", "routine_view", "proposal", "proposal_acetaminophen"})
SHOWN = frozenset({"shown", "merged", "row", "text"})
APPLIES = SHOWN | {"capped"}
# Safety speaks beside red flags as well; imaging that they call for is exempt by name.
BESIDE_RED_FLAGS = frozenset(
    {
        "acetaminophen-max-dose",
        "imaging-indicated",
        "spinal-manipulation-contraindicated",
        "systemic-corticosteroid-avoid",
        "trigger-point-injection-caution",
    }
)
SAFETY_GROUPS = frozenset(
    {
        "red-flag",
        "nsaid-safety",
        "cyclobenzaprine-safety",
        "antidepressant-safety",
        "tramadol-safety",
        "opioid-safety",
    }
)
# Each is a red flag by itself, whatever else is on record.
CERTAIN_RED_FLAGS = (
    ("critical", "G83.4", "Cauda equina syndrome"),
    ("critical", "G06.1", "Intraspinal abscess and granuloma"),
    ("warning", "R63.4", "Abnormal weight loss"),
)


def _routine() -> frozenset[str]:
    """Recommendations whose files name one of the exclusion sets of routine advice."""
    folder = HOUSE / "cards" / "recommendations"
    files = [yaml.safe_load(path.read_text("utf-8")) for path in folder.glob("*.yaml")]
    return frozenset(file["id"] for file in files if ROUTINE & set(file.get("exclusions") or ()))


ROUTINE_ADVICE = _routine()


def test_every_recommendation_is_routine_or_of_safety() -> None:
    """Advice that is neither about safety nor a paragraph of another card gives way."""
    others = {
        r.id
        for r in LIBRARY.recommendations.values()
        if r.render != "text"
        and r.merge_group not in SAFETY_GROUPS
        and r.id not in BESIDE_RED_FLAGS
    }

    assert others == ROUTINE_ADVICE


def _routine_advice(advice: Advice) -> set[str]:
    return {
        verdict.id
        for verdict in advice.verdicts
        if verdict.id in ROUTINE_ADVICE and verdict.outcome in APPLIES
    }


def _red_flags(advice: Advice) -> list[str | None]:
    """The indicators of the red flags of grade high and moderate that a call raises."""
    return [
        verdict.indicator
        for verdict in advice.verdicts
        if LIBRARY.recommendations[verdict.id].merge_group == "red-flag"
        and verdict.outcome in APPLIES
        and verdict.indicator != "info"
    ]


@law(250)
@given(request=calls(), flag=st.sampled_from(CERTAIN_RED_FLAGS), days=st.integers(0, 14))
def test_a_red_flag_silences_all_routine_advice(
    request: dict[str, Any], flag: tuple[str, str, str], days: int
) -> None:
    """Exercise, drugs and avoid-cards wait, even among what a cap keeps back."""
    indicator, code, display = flag
    advice = _advised(added(request, "conditions", diagnosis(ICD10CM, code, display, days)))

    assert _routine_advice(advice) == set()
    if request["hook"] == "patient-view":
        assert indicator in _red_flags(advice)
        assert {place.state for place in advice.places} <= {RED_FLAG_STATE, "RESOLVED"}


@law(250)
@given(request=st.one_of(calls(), back_pain_views()), found=red_flag_conditions())
def test_whatever_raises_a_red_flag_silences_routine_advice(
    request: dict[str, Any], found: dict[str, Any]
) -> None:
    """The same for flags that rest on several entries: where one is raised, nothing routine."""
    advice = _advised(added(request, "conditions", found))

    assert not (_red_flags(advice) and _routine_advice(advice))


# No cap on a critical card


@law(200)
@given(request=calls(), red_flag=red_flag_conditions())
def test_critical_advice_is_always_on_a_critical_card(
    request: dict[str, Any], red_flag: dict[str, Any]
) -> None:
    """What is critical is shown, and on a card that says so, however much else there is to say."""
    advice = _advised(added(request, "conditions", red_flag))
    critical = [verdict for verdict in advice.verdicts if verdict.indicator == "critical"]
    told = _advice(_critical(list(advice.cards)))

    assert all(verdict.outcome in SHOWN for verdict in critical)
    assert {verdict.id for verdict in critical} <= told


@law(80)
@given(
    kinds=st.lists(st.sampled_from(["nsaid-oral", "benzodiazepine"]), min_size=1, max_size=9),
    others=st.lists(drafts(), max_size=4),
    chance=st.randoms(use_true_random=False),
)
def test_every_dangerous_draft_gets_its_critical_card(
    kinds: list[str], others: list[dict[str, Any]], chance: random.Random
) -> None:
    """Nine NSAIDs and benzodiazepines on an anticoagulant and an opioid: nine critical cards."""
    request = view(
        60,
        conditions=[diagnosis(ICD10CM, "M54.50", "Low back pain", 400)],
        medications=[prescribed("anticoagulant", "a"), prescribed("opioid", "b")],
    )
    dangerous = [prescribed(kind, f"{kind}-{place}") for place, kind in enumerate(kinds)]
    orders = [{**order, "status": "draft"} for order in (*dangerous, *others)]
    chance.shuffle(orders)
    advice = _advised(signed(request, orders))

    assert len(_critical(list(advice.cards))) >= len(kinds)


@pytest.mark.parametrize(
    "changes",
    [
        {"deceasedBoolean": True},
        {"deceasedDateTime": "2026-06-01"},
        {"birthDate": "2008-06-16"},
        {"birthDate": "2020"},
    ],
    ids=["dead", "died on a day", "a day before 18", "a child"],
)
def test_the_dead_and_children_get_no_card(on: ClientOn, changes: dict[str, Any]) -> None:
    """The guidelines are for living adults; that silences even critical cards."""
    for stored in ANSWERED:
        request = stored.copy()
        request["prefetch"]["patient"] |= changes

        assert cards_of(on(stored.day), request) == [], stored.name


# Knowing less proposes nothing more

Create = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Offers:
    """What the advice on a call would create, and the answers it rests on.

    Attributes:
        creates: recommendation, label of the suggestion, and the draft it is about.
    """

    advice: Advice
    creates: frozenset[Create]
    asks: Mapping[str | None, Ask]


def _offers(request: Mapping[str, Any], day: date = TODAY) -> Offers:
    """The create actions of all advice that applies, whether shown or capped."""
    record = reading(request, day, LIBRARY).record
    advice = _advised(request, day)
    asks = _asks(record, day)
    creates = frozenset(
        (verdict.id, suggestion.label, verdict.draft)
        for verdict in advice.verdicts
        if verdict.outcome in APPLIES
        for suggestion in _open(verdict, asks[verdict.draft], record, day)
        if suggestion.action == "create"
    )
    return Offers(advice, creates, asks)


def _open(
    verdict: Verdict, ask: Ask, record: PatientRecord, day: date
) -> tuple[SuggestionTemplate, ...]:
    """The suggestions of one piece of advice that nothing withholds."""
    suggestions = offered(LIBRARY.recommendations[verdict.id], ask)
    return unbarred(verdict.id, suggestions, Case(record, day), LIBRARY)


def _asks(record: PatientRecord, day: date) -> dict[str | None, Ask]:
    """Draft → the answers about it; under None those for the whole call."""

    def answers(draft: Draft | None) -> Answers:
        case = Case(record, day, draft, LIBRARY.mme_factors)
        return Answers(case, LIBRARY.vocabulary, LIBRARY.unanswerable, LIBRARY.switches)

    drafted = {d.order.reference: answers(d) for d in record.drafts if d.selected}
    asks: dict[str | None, Ask] = dict(drafted.items())
    asks[None] = CallAnswers(list(drafted.values()) or [answers(None)], LIBRARY.draft_facts)
    return asks


def _read_less(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The call with one prefetch key missing, or with an unread next page."""
    for key in request["prefetch"]:
        if key == "patient":
            continue
        rest = {k: found for k, found in request["prefetch"].items() if k != key}
        if key != "conditions" or request["hook"] != "patient-view":
            yield key, {**request, "prefetch": rest}
        first_page = {name: v for name, v in request["prefetch"][key].items() if name != "total"}
        first_page["link"] = [{"relation": "next", "url": "https://ehr.example/next"}]
        yield key, {**request, "prefetch": {**rest, key: first_page}}


def _takes_back(recommendation: Recommendation) -> tuple[str, ...]:
    """Facts that silence advice, or withhold one suggestion of it, by a yes and nothing else."""
    withheld = (name for s in recommendation.suggestions for name in s.when_none)
    return (*recommendation.exclusions, *recommendation.critical_only_when, *withheld)


def _unless(names: tuple[str, ...]) -> tuple[str, ...]:
    """Facts that take a derived fact back by a yes and nothing else, such as work-up done."""
    return tuple(
        name
        for fact in closure(names, LIBRARY.vocabulary)
        for name in LIBRARY.vocabulary[fact].unless
    )


def _no_longer_known(names: tuple[str, ...], before: Ask, after: Ask) -> bool:
    """Whether one of the facts was yes, and now is not known."""
    return any(before(n).answer is Answer.YES and after(n).answer is not Answer.YES for n in names)


RESCUE = "naloxone"


def _allowed(new: Create, before: Offers, after: Offers) -> bool:
    """Whether knowing less may bring this order: it looks for danger, or is the antidote.

    A red flag stays open until its work-up is known to be done, and naloxone is offered until it
    is known to be at home.
    """
    name, label, draft = new
    recommendation = LIBRARY.recommendations[name]
    asks = before.asks[draft], after.asks[draft]
    rescue = any(s.value_set == RESCUE for s in recommendation.suggestions if s.label == label)
    return rescue or _no_longer_known(_unless(recommendation.trigger.names), *asks)


@law(40)
@given(request=calls())
def test_reading_less_adds_no_order(
    request: dict[str, Any],
) -> None:
    """A key that is missing or unfinished brings no order, but those that look for danger."""
    before = _offers(request)
    for key, less in _read_less(request):
        after = _offers(less)
        added_now = after.creates - before.creates

        assert {new for new in added_now if not _allowed(new, before, after)} == set(), key


def _outcome(recommendation: Recommendation, ask: Ask, hook: HookName) -> set[str]:
    """Labels of what a recommendation would create, given these answers."""
    applied, _ = judge(recommendation, ask, hook)
    return {s.label for s in applied.suggestions if s.action == "create"} if applied else set()


def _asking_of(recommendation: Recommendation) -> frozenset[str]:
    """Facts that must hold for advice to apply or a suggestion to be offered."""
    asked = tuple(name for s in recommendation.suggestions for name in s.when_all)
    return closure((*recommendation.trigger.names, *asked), LIBRARY.vocabulary)


def _barring(recommendation: Recommendation) -> frozenset[str]:
    """Facts that bar advice or a suggestion only when they are known."""
    names = (*_takes_back(recommendation), *_unless(recommendation.trigger.names))
    return closure(names, LIBRARY.vocabulary)


CREATING = [
    recommendation
    for recommendation in LIBRARY.recommendations.values()
    if any(s.action == "create" for s in recommendation.suggestions)
]
AS_ROW = {"first_line_card_shown": YES, "row_in_option_set": YES}


def _given_answers(record: PatientRecord) -> dict[str, Finding]:
    """Every fact of a chart that is not derived, as of its first draft."""
    draft = next((draft for draft in record.drafts if draft.selected), None)
    ask = _asks(record, TODAY)[draft.order.reference if draft else None]
    direct = (d.name for d in LIBRARY.vocabulary.values() if d.scope not in ("derived", "engine"))
    return {name: ask(name) for name in direct} | AS_ROW


def _with(facts: Mapping[str, Finding], names: Iterable[str], finding: Finding) -> GivenAnswers:
    return GivenAnswers({**facts, **dict.fromkeys(names, finding)}, LIBRARY.vocabulary)


def _each_unknown(
    recommendation: Recommendation, facts: Mapping[str, Finding], hook: HookName
) -> None:
    """Check that a fact asked for, once unknown, offers no more than it does as yes and as no."""
    for name in sorted(_asking_of(recommendation) - _barring(recommendation)):
        if LIBRARY.vocabulary[name].scope == "derived":
            continue
        less, yes, no = (
            _outcome(recommendation, _with(facts, [name], finding), hook)
            for finding in (UNKNOWN, YES, NO)
        )
        assert less <= yes & no, (recommendation.id, name)


@law(60)
@given(request=calls(), chance=st.randoms(use_true_random=False))
def test_a_fact_made_unknown_adds_no_order(request: dict[str, Any], chance: random.Random) -> None:
    """What a recommendation asks for, once unknown, is no reason to propose anything.

    Nor is a bar that was not known to be there, nor several facts at once.
    """
    record = reading(request, TODAY, LIBRARY).record
    facts = _given_answers(record)
    for recommendation in (r for r in CREATING if record.hook in r.hooks):
        _each_unknown(recommendation, facts, record.hook)
        barring = _barring(recommendation)
        asked = sorted((_asking_of(recommendation) - barring) & facts.keys())
        several = chance.sample(asked, chance.randint(1, len(asked)))
        no_bar = [n for n in barring & facts.keys() if facts[n].answer is not Answer.YES]
        before = _outcome(recommendation, _with(facts, (), UNKNOWN), record.hook)
        for names in (several, no_bar):
            less = _with(facts, names, UNKNOWN)
            assert _outcome(recommendation, less, record.hook) <= before, (recommendation.id, names)


@pytest.mark.parametrize("recommendation", CREATING, ids=lambda r: r.id)
def test_an_example_made_unknown_adds_no_order(recommendation: Recommendation) -> None:
    """The same for the example patients, each of whom stands at the edge of the advice."""
    for example in recommendation.examples:
        facts = {
            **AS_ROW,
            **dict.fromkeys(example.present, YES),
            **dict.fromkeys(example.absent, NO),
            **dict.fromkeys(example.unknown, UNKNOWN),
        }
        _each_unknown(recommendation, facts, example.hook)


# The course goes forward

PLACES = {pathway.id: [state.id for state in pathway.states] for pathway in LIBRARY.pathways}


def _stands(request: dict[str, Any], day: date) -> dict[str, str | None]:
    return {place.pathway: place.state for place in _advised(request, day).places}


def _how_far(pathway: str, state: str | None) -> int:
    """How many states lie before this one; none before a state that is not certain."""
    order = PLACES[pathway]
    return len(order) - order.index(state) if state in order else 0


@law(400)
@given(request=views_under_care(), wait=st.integers(1, 27))
def test_waiting_alone_moves_no_one_back(request: dict[str, Any], wait: int) -> None:
    """With nothing new on record a patient stays, or moves on, until what is on record expires."""
    quiet = min(wait, quiet_days(request))
    assume(quiet > 0)
    before = _stands(request, TODAY)
    after = _stands(request, TODAY + timedelta(days=quiet))
    assume(RED_FLAG_STATE not in {*before.values(), *after.values()})

    for pathway, state in before.items():
        assert pathway in after
        if state != "P1":  # an acute spasm or flare is over after 28 days, by its own definition
            assert _how_far(pathway, state) <= _how_far(pathway, after[pathway]), pathway


# Judging is pure

# Files, sockets, processes and imports raise audit events; whatever judging raises is a fault.
# https://docs.python.org/3/library/audit_events.html
GUARDED = """
import copy, sys
from cards.advise import advise
from cards.codes import ICD10CM
from cards.library import load_library
from service.patient_record import coverage_of, read_patient_record
from service.prefetch import KEYS
from tests.generated_records import STORED

library = load_library()
records = []
for stored in STORED:
    prefetch = stored.request["prefetch"]
    reading = read_patient_record(
        hook=stored.request["hook"], context=stored.request["context"], prefetch=prefetch,
        coverage=coverage_of(prefetch, KEYS), index=library.index, today=stored.day,
    )
    records.append((stored.name, reading.record, stored.day))
before = copy.deepcopy(records)
judging = False
events = set()
GUARDED = ("open", "import", "socket.", "os.", "subprocess.", "sqlite3.", "urllib.", "shutil.",
           "tempfile.", "glob.", "pathlib.", "exec", "compile", "ctypes.")

def guard(event, arguments):
    if judging and event.startswith(GUARDED):
        events.add(event)

sys.addaudithook(guard)
judging = True
advice = [advise(record, day, library) for _, record, day in records]
again = [advise(record, day, library) for _, record, day in records]
judging = False
assert not events, sorted(events)
assert records == before, "a record was changed"
assert advice == again, "the same record was judged twice and differently"
assert not any(one.errors for one in advice), [one.errors for one in advice if one.errors]
assert sum(bool(one.cards) for one in advice) > 40
judging = True
try:
    open("/dev/null").close()
finally:
    judging = False
assert "open" in events, "the guard sleeps"
"""


def test_judging_touches_nothing_but_the_record() -> None:
    """No file, network or late import while judging, and the record stays as it was."""
    run = subprocess.run(
        [sys.executable, "-c", GUARDED], cwd=HOUSE, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr[-2000:]
