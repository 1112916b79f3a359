"""Merging, leading, sorting and capping: few cards, the urgent ones never lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cards.criteria import Criteria
from cards.recommend import Applied
from cards.recommendation import Indicator, Recommendation, SuggestionTemplate
from cards.record import Concept, Draft, MedicationOrder, ServiceOrder
from cards.select import CardPlan, rank, select, with_one_drug_step, with_one_nsaid

TEMPLATE = Recommendation(
    id="a",
    title="A",
    kind="warning",
    render="card",
    hooks=("patient-view",),
    pathways=(),
    indicator="info",
    indicator_rules=(),
    patient_view_max=None,
    priority=50,
    merge_group=None,
    trigger=Criteria(),
    exclusions=(),
    critical_only_when=(),
    summary="A",
    detail="A",
    brief="A",
    not_found={},
    limits="A",
    suggestions=(),
    override_reasons=(),
    sources=("x",),
    conflicts=(),
    examples=(),
)


def advice(
    name: str,
    indicator: Indicator = "info",
    priority: int = 50,
    group: str | None = None,
    draft: Draft | None = None,
    **more: Any,
) -> Applied:
    recommendation = replace(TEMPLATE, id=name, priority=priority, merge_group=group)
    return Applied(recommendation, indicator, draft, (), (), **more)


def draft(name: str) -> Draft:
    order = ServiceOrder(f"ServiceRequest/{name}", "ServiceRequest", "draft", "order", Concept())
    return Draft(order, selected=True, position=["one", "two"].index(name))


def shown(*advices: Applied, hook: Any = "patient-view", rows: Any = (), steps: Any = ()) -> Any:
    selection = select(advices, rows, steps, hook)
    return [[m.recommendation.id for m in plan.members] for plan in selection.shown]


def test_critical_cards_are_never_capped() -> None:
    """Five critical cards stay five on opening a chart; nothing else joins them."""
    critical = [advice(f"c{n}", "critical") for n in range(5)]

    assert [["c0"], ["c1"], ["c2"], ["c3"], ["c4"]] == shown(*critical, advice("w", "warning"))


def test_warnings_before_the_next_step_before_one_note() -> None:
    """Opening a chart shows three cards: warning, next step, and the first of the notes."""
    cards = shown(
        advice("note-b", priority=60),
        advice("note-a", priority=50),
        advice("step", priority=40, group="next-step"),
        advice("warning", "warning", 90),
    )

    assert [["warning"], ["step"], ["note-a"]] == cards


def test_second_note_never_fills_an_empty_place() -> None:
    """Notes share one place even when the other two are free."""
    assert [["a"]] == shown(advice("a", priority=50), advice("b", priority=51))


def test_soft_red_flag_shares_the_place_of_notes() -> None:
    """The soft flag (age over 50) is a note among notes and stands beside the next step."""
    soft = advice("soft", priority=45, group="red-flag", grade="soft")
    step = advice("step", priority=40, group="next-step")

    assert [["step"], ["soft"]] == shown(soft, step, advice("prompt", priority=50))


def test_red_flags_merge_by_grade() -> None:
    """Two urgent and two moderate flags make one critical and one warning card."""
    cards = shown(
        advice("deficit", "critical", 11, "red-flag", grade="high"),
        advice("cauda", "critical", 10, "red-flag", grade="high"),
        advice("cancer", "warning", 13, "red-flag", grade="moderate"),
        advice("trauma", "warning", 15, "red-flag", grade="moderate"),
    )

    assert [["cauda", "deficit"], ["cancer", "trauma"]] == cards


def test_one_group_merges_only_about_one_draft() -> None:
    """Opioid cards about one order are one card; about two orders, two."""
    one, two = draft("one"), draft("two")
    cards = shown(
        advice("acute", "warning", 28, "opioid-safety", one),
        advice("prerequisites", "warning", 27, "opioid-safety", one),
        advice("acute", "warning", 28, "opioid-safety", two),
        hook="order-sign",
    )

    assert [["prerequisites", "acute"], ["acute"]] == cards


def test_next_step_leads_by_pathway_order() -> None:
    """The step of the patient's pathway leads; the other is a row, and its options follow."""
    cards = shown(
        advice("first-line", priority=40, group="next-step"),
        advice("nsaid", priority=44, group="next-step"),
        rows=[advice("yoga")],
        steps=["nsaid", "first-line"],
    )

    assert [["nsaid", "first-line", "yoga"]] == cards


def test_three_cards_about_one_order_and_five_in_all() -> None:
    """Signing two orders shows at most three cards about one and five together."""
    one, two = draft("one"), draft("two")
    cards = [advice(f"{d.order.reference[-3:]}{n}", draft=d) for d in (one, two) for n in range(4)]

    assert [["one0"], ["one1"], ["one2"], ["two0"], ["two1"]] == shown(*cards, hook="order-sign")


def test_last_card_counts_what_is_not_shown() -> None:
    """The last card says how many further notes a cap kept back."""
    selection = select([advice(f"n{n}", priority=n) for n in range(4)], (), (), "patient-view")

    assert [3] == [plan.hidden for plan in selection.shown]
    assert 3 == len(selection.capped)


ADVICE = st.lists(
    st.builds(
        advice,
        name=st.sampled_from([f"r{n}" for n in range(12)]),
        indicator=st.sampled_from(["info", "warning", "critical"]),
        priority=st.integers(10, 70),
        group=st.sampled_from([None, "next-step", "opioid-safety"]),
    ),
    unique_by=lambda a: a.recommendation.id,
).map(lambda cards: [a for a in cards if _possible(a)])


def _possible(card: Applied) -> bool:
    """A next step is never more than a note."""
    return card.recommendation.merge_group != "next-step" or card.indicator == "info"


@given(ADVICE, st.randoms(), st.sampled_from(["patient-view", "order-sign"]))
def test_order_of_advice_does_not_matter(cards: list[Applied], dice: Any, hook: Any) -> None:
    """However the recommendations come, the same cards are shown in the same order."""
    shuffled = list(cards)
    dice.shuffle(shuffled)

    assert shown(*cards, hook=hook) == shown(*shuffled, hook=hook)


@given(ADVICE, st.sampled_from(["patient-view", "order-sign"]))
def test_no_critical_advice_is_lost_and_the_rest_is_few(cards: list[Applied], hook: Any) -> None:
    """Every critical advice stands on a shown card, sorted first; the caps hold for the rest."""
    selection = select(cards, (), (), hook)
    on_cards = {m.recommendation.id for plan in selection.shown for m in plan.members}
    leaders = [plan.leader for plan in selection.shown]
    mild = [leader for leader in leaders if leader.indicator != "critical"]

    assert {a.recommendation.id for a in cards if a.indicator == "critical"} <= on_cards
    assert sorted(leaders, key=rank) == leaders
    assert len(mild) <= (3 if hook == "patient-view" else 5)


# Drugs across a card and across cards


def drug(value_set: str, action: Any = "create") -> SuggestionTemplate:
    return SuggestionTemplate(f"{action} {value_set}", action, "MedicationRequest", {}, value_set)


def proposing(name: str, *value_sets: str, group: str | None = "next-step") -> Applied:
    return replace(advice(name, group=group), suggestions=tuple(map(drug, value_sets)))


def ordered(plan: CardPlan) -> list[list[str | None]]:
    return [[s.value_set for s in member.suggestions] for member in plan.members]


def test_one_drug_step_at_a_time() -> None:
    """Duloxetine leads with its order; the tricyclic behind it is words only, therapy is not."""
    therapy = SuggestionTemplate("refer", "create", "ServiceRequest", {}, "pain-specialist")
    referral = replace(advice("s", group="next-step"), suggestions=(therapy,))
    plan = CardPlan(proposing("d", "duloxetine"), (), (proposing("t", "tca"), referral))

    assert ordered(with_one_drug_step(plan)) == [["duloxetine"], [], ["pain-specialist"]]


def test_the_first_drug_step_may_be_a_row() -> None:
    """Behind a leader without a drug the first drug step keeps its order."""
    rows = (proposing("n", "nsaid-oral"), proposing("d", "duloxetine"))
    plan = CardPlan(advice("e", group="next-step"), (), rows)

    assert ordered(with_one_drug_step(plan)) == [[], ["nsaid-oral"], []]


def test_safety_cards_keep_their_replacements() -> None:
    """The rule is about steps; a safety card keeps every replacement it offers."""
    rows = (proposing("n", "nsaid-topical"), proposing("a", "acetaminophen"))
    plan = CardPlan(advice("w", "warning", group="opioid-safety"), (), rows)

    assert with_one_drug_step(plan) == plan


def test_no_second_nsaid_on_another_card() -> None:
    """Beside an order for an NSAID by mouth no other card orders one for the skin."""
    step = CardPlan(proposing("n", "nsaid-oral"))
    note = CardPlan(proposing("t", "nsaid-topical", "lidocaine-topical", group=None))

    assert [ordered(p) for p in with_one_nsaid([step, note])] == [
        [["nsaid-oral"]],
        [["lidocaine-topical"]],
    ]
    assert with_one_nsaid([note]) == (note,)


def drug_draft(position: int, *sets: str) -> Draft:
    drug = Concept(sets=dict.fromkeys(sets, ""))
    order = MedicationOrder(f"MedicationRequest/{position}", "draft", "order", drug)
    return Draft(order, selected=True, position=position)


def test_the_word_of_patience_once_a_call() -> None:
    """Of three drafts the first non-opioid one gets the note, and no card is said to be hidden."""
    drafted = [("acetaminophen", "opioid"), ("nsaid-oral",), ("tca",)]
    early = [
        advice("drug-before-nonpharmacologic", draft=drug_draft(position, *sets))
        for position, sets in enumerate(drafted)
    ]
    found = select(reversed(early), (), (), "order-sign")

    assert [plan.leader.draft for plan in found.shown] == [early[1].draft]
    assert found.shown[0].hidden == 0
    assert select(early[:1], (), (), "order-sign").shown == ()


def test_no_word_of_patience_beside_a_danger() -> None:
    """A draft with a critical card gets no note that non-drug care was not tried first."""
    early = advice("drug-before-nonpharmacologic", draft=draft("one"))
    other = advice("drug-before-nonpharmacologic", draft=draft("two"))
    danger = advice("danger", "critical", draft=draft("one"))

    assert shown(danger, early, other, hook="order-sign") == [
        ["danger"],
        ["drug-before-nonpharmacologic"],
    ]
