"""Where a chart puts the patient on each pathway, one day before, on and after each bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.answers import Answers
from cards.library import Library
from cards.pathway import left_behind, locate
from cards.record import Concept, Condition
from tests.charts import ago, chart, concept, drug, low_back_pain, pain, score, session

EXERCISE = ("exercise-therapy", "nonpharm-any")
MANUAL = ("massage", "nonpharm-any")
LOW, MYO, SPASM, MID, TRIGGER = (
    "chronic-low-back-pain",
    "chronic-myofascial-pain",
    "back-muscle-spasm",
    "mid-back-musculoskeletal-pain",
    "upper-mid-back-trigger-points",
)


def states(library: Library, *entries: Any) -> dict[str, str | None]:
    """Pathway → state of a chart of these entries."""
    ask = Answers(chart(*entries), library.vocabulary, library.unanswerable, library.switches)
    return {place.pathway: place.state for place in locate(library.pathways, ask)}


def care(first: int, last: int = 1, *sets: str) -> list[Any]:
    """Eight sessions of care, the first and the last so many days ago."""
    step = (first - last) / 7
    days = sorted({round(first - step * n) for n in range(8)})
    kinds = sets or EXERCISE
    return [replace(session(*kinds, days=d), reference=f"Procedure/{kinds[0]}-{d}") for d in days]


def unchanged(first: int) -> list[Any]:
    """Pain of 6 when care began and 6 yesterday."""
    return [score(6, first), score(6, 1)]


def chronic(**members: Any) -> Condition:
    return low_back_pain(onset=ago(400), **members)


def thoracic(days: int) -> Condition:
    return pain("thoracic-back-pain", "back-pain-any", onset=ago(days))


def myofascial(days: int) -> Condition:
    lower_back = concept("back-site")
    return pain("myofascial-pain", onset=ago(days), body_sites=(lower_back,))


def trigger_point(days: int) -> Condition:
    return pain("trigger-point", onset=ago(days))


def failed(*sets: str, days: int = 60) -> Any:
    """A drug stopped because it did not work."""
    reason = Concept(sets={"treatment-ineffective": ""})
    return drug(*sets, days=days, supply=20, status="stopped", status_reason=reason)


NSAID_FAILED = failed("nsaid-oral")
DULOXETINE_FAILED = failed("duloxetine", days=50)


# Low back pain


@pytest.mark.parametrize(
    ("days", "state"), [(83, "LBP-early"), (84, "LBP-early"), (85, "C0"), (400, "C0")]
)
def test_low_back_pain_becomes_chronic(library: Library, days: int, state: str) -> None:
    """Eighty-four days are subacute; from the eighty-fifth the staged pathway begins."""
    assert states(library, low_back_pain(onset=ago(days))) == {LOW: state}


@pytest.mark.parametrize(("ended", "state"), [(83, "C2"), (84, "C2"), (85, "C0")])
def test_care_that_ended_long_ago_starts_anew(library: Library, ended: int, state: str) -> None:
    """Care counts up to 84 days after its last session; then the patient is back at the start."""
    assert states(library, chronic(), *care(ended + 21, ended)) == {LOW: state}


@pytest.mark.parametrize(("began", "state"), [(27, "C1"), (28, "C2"), (29, "C2")])
def test_the_first_drug_step_waits_four_weeks(library: Library, began: int, state: str) -> None:
    """Four full weeks of care without known improvement lead to the first drug step."""
    assert states(library, chronic(), *care(began)) == {LOW: state}


@pytest.mark.parametrize(("now", "state"), [(43, "C2"), (42, "M"), (41, "M")])
def test_improvement_is_maintenance(library: Library, now: int, state: str) -> None:
    """A fall of 30 percent of the first score is an improvement, one of 28 percent is not."""
    scores = [score(60, 49), score(now, 1)]

    assert states(library, chronic(), *care(49), *scores) == {LOW: state}


def test_an_active_nsaid_is_given_its_time(library: Library) -> None:
    """On an NSAID for a week the patient waits for its effect."""
    entries = [chronic(), *care(49), drug("nsaid-oral", days=7, supply=14)]

    assert states(library, *entries, *unchanged(49)) == {LOW: "C2a"}


@pytest.mark.parametrize(("began", "state"), [(55, "C2a"), (56, "C3"), (57, "C3")])
def test_the_second_line_waits_eight_weeks(library: Library, began: int, state: str) -> None:
    """After a failed NSAID the second line comes from week eight, not before."""
    entries = [chronic(), *care(began), *unchanged(began), NSAID_FAILED]

    assert states(library, *entries) == {LOW: state}


def test_no_drug_step_is_jumped(library: Library) -> None:
    """After months of care without an NSAID the NSAID is still the step, not what follows it."""
    assert states(library, chronic(), *care(150), *unchanged(150)) == {LOW: "C2"}
    nsaid_only = [chronic(), *care(150), *unchanged(150), NSAID_FAILED]
    assert states(library, *nsaid_only) == {LOW: "C3"}


@pytest.mark.parametrize(("began", "state"), [(83, "C3"), (84, "C4"), (85, "C4")])
def test_the_third_line_waits_twelve_weeks(library: Library, began: int, state: str) -> None:
    """NSAID and duloxetine failed: the third line comes from week twelve."""
    failures = [NSAID_FAILED, DULOXETINE_FAILED]
    entries = [chronic(), *care(began), *unchanged(began), *failures]

    assert states(library, *entries) == {LOW: state}


def test_a_specialist_seen_without_success_is_refractory(library: Library) -> None:
    """After the specialist, and with pain unchanged, the state is refractory."""
    seen = session("pain-specialist", days=20)
    failures = [NSAID_FAILED, DULOXETINE_FAILED]
    entries = [chronic(), *care(100), *unchanged(100), *failures]

    assert states(library, *entries) == {LOW: "C4"}
    assert states(library, *entries, seen) == {LOW: "C5"}


def test_unread_procedures_leave_the_earlier_state(library: Library) -> None:
    """What cannot be known keeps the patient in the earlier state."""
    case = chart(chronic(), unread=("procedures", "serviceRequests"))
    ask = Answers(case, library.vocabulary, library.unanswerable, library.switches)

    assert [place.state for place in locate(library.pathways, ask)] == ["C0"]


def test_improved_early_pain_is_resolved(library: Library) -> None:
    """Subacute low back pain that has improved needs no next step."""
    scores = [score(60, 30), score(30, 1)]

    assert states(library, low_back_pain(onset=ago(40)), *care(30), *scores) == {LOW: "RESOLVED"}


# Myofascial pain


@pytest.mark.parametrize(("days", "state"), [(27, None), (28, "M0"), (29, "M0")])
def test_myofascial_pain_counts_from_four_weeks(
    library: Library, days: int, state: str | None
) -> None:
    """Acute myofascial pain has no place on the pathway yet."""
    assert states(library, myofascial(days)) == {MYO: state}


@pytest.mark.parametrize(
    ("began", "more", "state"),
    [
        (27, [], "M1"),
        (28, [], "M2"),
        (55, [NSAID_FAILED], "M2"),
        (56, [NSAID_FAILED], "M3"),
        (84, [NSAID_FAILED], "M3"),
        (55, [NSAID_FAILED, DULOXETINE_FAILED], "M2"),
        (56, [NSAID_FAILED, DULOXETINE_FAILED], "M4"),
        (83, [NSAID_FAILED, DULOXETINE_FAILED], "M4"),
        (84, [NSAID_FAILED, DULOXETINE_FAILED], "M5"),
    ],
)
def test_myofascial_steps(library: Library, began: int, more: list[Any], state: str) -> None:
    """Exercise and massage together; each later state waits for its weeks and its drug step."""
    entries = [myofascial(400), *care(began), *care(began - 1, 2, *MANUAL), *unchanged(began)]

    assert states(library, *entries, *more) == {MYO: state}


# Spasm


def spasm(**members: Any) -> Condition:
    return pain("back-spasm", **members)


@pytest.mark.parametrize(("days", "state"), [(27, "P1"), (28, "P0"), (29, "P0")])
def test_acute_spasm(library: Library, days: int, state: str) -> None:
    """A relaxant is a step in the first 28 days only."""
    assert states(library, spasm(onset=ago(days)))[SPASM] == state


@pytest.mark.parametrize(("recorded", "state"), [(27, "P1"), (28, "P1"), (29, "P0")])
def test_a_flare_of_old_spasm(library: Library, recorded: int, state: str) -> None:
    """A recurrence recorded in the last 28 days is a flare, whatever the onset."""
    flare = spasm(onset=ago(400), clinical="recurrence", recorded=ago(recorded))

    assert states(library, flare)[SPASM] == state


def test_an_active_relaxant_is_watched(library: Library) -> None:
    """While a muscle relaxant runs the state is to watch it."""
    relaxant = drug("skeletal-muscle-relaxant", days=3, supply=7)

    assert states(library, spasm(onset=ago(10)), relaxant)[SPASM] == "P2"


@pytest.mark.parametrize(("began", "state"), [(27, "P0"), (28, "P3"), (29, "P3")])
def test_spasm_that_stays(library: Library, began: int, state: str) -> None:
    """Four weeks of care with pain unchanged call for another look."""
    entries = [spasm(onset=ago(400)), *care(began), *unchanged(began)]

    assert states(library, *entries)[SPASM] == state


# Mid back


@pytest.mark.parametrize(
    ("days", "state"), [(3, "A0"), (27, "A0"), (28, "B"), (84, "B"), (85, "C")]
)
def test_mid_back_phases(library: Library, days: int, state: str) -> None:
    """Acute, subacute and chronic mid-back pain."""
    assert states(library, thoracic(days)) == {MID: state}


@pytest.mark.parametrize(("since", "state"), [(2, "A0"), (3, "A1"), (4, "A1")])
def test_a_topical_nsaid_is_given_three_days(library: Library, since: int, state: str) -> None:
    """Three days on the topical NSAID, then the next step may come."""
    gel = drug("nsaid-topical", days=since, supply=7)

    assert states(library, thoracic(10), gel) == {MID: state}


@pytest.mark.parametrize("sets", ["nsaid-oral", "acetaminophen"])
def test_an_oral_drug_is_followed_up(library: Library, sets: str) -> None:
    """On an oral drug the acute patient waits for the review."""
    assert states(library, thoracic(10), drug(sets, days=4, supply=14)) == {MID: "A2"}


@pytest.mark.parametrize(("began", "state"), [(83, "C"), (84, "D"), (85, "D")])
def test_mid_back_pain_without_success(library: Library, began: int, state: str) -> None:
    """Twelve weeks of care with pain unchanged."""
    entries = [thoracic(200), *care(began), *unchanged(began)]

    assert states(library, *entries) == {MID: state}


def test_new_mid_back_pain_beside_old_low_back_pain(library: Library) -> None:
    """Each pathway goes by its own pain: chronic in the low back, acute in the mid back."""
    assert states(library, chronic(), thoracic(5)) == {LOW: "C0", MID: "A0"}


# Trigger points


@pytest.mark.parametrize(("began", "state"), [(13, "T0"), (14, "T1"), (15, "T1")])
def test_trigger_points_after_two_weeks(library: Library, began: int, state: str) -> None:
    """Two weeks of care, and the next technique may be added."""
    assert states(library, trigger_point(20), *care(began))[TRIGGER] == state


@pytest.mark.parametrize(("began", "state"), [(41, "T1"), (42, "T2"), (43, "T2")])
def test_persistent_trigger_points(library: Library, began: int, state: str) -> None:
    """Exercise for six weeks and massage, pain unchanged: persistent."""
    entries = [*care(began), *care(began - 1, 2, *MANUAL), *unchanged(began)]

    assert states(library, trigger_point(60), *entries)[TRIGGER] == state


@pytest.mark.parametrize(("began", "state"), [(83, "T2"), (84, "T3"), (85, "T3")])
def test_chronic_trigger_points(library: Library, began: int, state: str) -> None:
    """Chronic, injected without success, and twelve weeks of care: rehabilitation is next."""
    entries = [*care(began), *care(began - 1, 2, *MANUAL), *unchanged(began)]
    entries.append(session("tpi", days=60))

    assert states(library, trigger_point(200), *entries)[TRIGGER] == state


@pytest.mark.parametrize(("injected", "state"), [(364, "T3"), (365, "T3"), (366, "T2")])
def test_an_injection_is_the_step_before(library: Library, injected: int, state: str) -> None:
    """Chronic pain stays at the injection as long as none was given within a year."""
    entries = [*care(100), *care(99, 2, *MANUAL), *unchanged(100), session("tpi", days=injected)]

    assert states(library, trigger_point(400), *entries)[TRIGGER] == state


# Red flags and the end


def test_an_open_red_flag_is_the_state_everywhere(library: Library) -> None:
    """New cauda equina syndrome puts every pathway of the patient into RF."""
    flag = pain("cauda-equina", onset=ago(1), recorded=ago(1))

    assert set(states(library, chronic(), thoracic(5), flag).values()) == {"RF"}


def test_only_pain_that_is_gone_is_left_behind(library: Library) -> None:
    """A pathway still active is not called resolved because an older episode was."""
    places = locate(library.pathways, Answers(chart(chronic()), library.vocabulary))

    assert left_behind(places, (LOW, MID)) == left_behind((), (MID,))


def test_every_step_has_what_comes_after(library: Library) -> None:
    """A card of the next step says what follows; only what ends a pathway may say nothing."""
    after = {pathway.id: set(pathway.if_not_enough) for pathway in library.pathways}
    missing = {
        (order.pathway, step)
        for order in library.next_step_order
        for step in order.order
        if step not in after[order.pathway]
    }

    assert missing == set()


def test_a_state_shows_steps_of_its_pathway(library: Library) -> None:
    """The steps a state shows can all be found on the card of the next step."""
    steps = {r.id for r in library.recommendations.values() if r.merge_group == "next-step"}
    shown = {step for p in library.pathways for state in p.states for step in state.shows}

    assert shown <= steps
