"""From a patient record to the cards shown: pure, and the same for the same record and day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from cards.answer import NO, UNKNOWN, YES, Answer, ChartEntry, Finding
from cards.answers import Answers, CallAnswers, SureAnswers, given, report_failure
from cards.card import build_card, with_each_order_once
from cards.case import Case
from cards.criteria import Ask
from cards.facts.pain import resolved_pathways
from cards.library import Library
from cards.offer import not_found, offered_here
from cards.own_order import is_benefit, is_own
from cards.pathway import Place, left_behind, locate
from cards.recommend import Applied, Verdict, judge, withheld
from cards.recommendation import Recommendation
from cards.record import Draft, MedicationOrder, PatientRecord
from cards.repeats import with_repeats_marked
from cards.select import (
    DRUG_TOO_EARLY,
    CardPlan,
    is_next_step,
    next_steps,
    select,
    with_one_drug_step,
    with_one_nsaid,
)
from cards.standing import Standing, leading_pathway, stand
from cards.suggestion import JSON
from cards.unread_drugs import told_on, unread_drugs
from cards.unrecorded import says_what_is_unrecorded, unrecorded, unsaid

FIRST_LINE, INTENSIFY = "nonpharm-first-line-not-started", "exercise-intensify-persistent"
EXERCISE_ROW = "exercise-therapy-first-line"
MOST_ROWS = 4


def nothing_known(_: str) -> Finding:
    """The answer to any fact where nothing was judged."""
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class Advice:
    """What one call is answered with.

    Attributes:
        cards: most urgent first, without uuids.
        verdicts: what became of every recommendation of this hook, and the facts that decided.
        places: every pathway the patient is on, or whose pain has resolved, with the state.
        phase: acute, subacute, chronic or unknown.
        errors: ids of recommendations that failed and are left out.
        ask: answers facts about the whole call, as the advice was found.
        card_pathways: of each card, the pathway whose state it tells; None when it tells none.
    """

    cards: tuple[JSON, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    places: tuple[Place, ...] = ()
    phase: str = "unknown"
    errors: tuple[str, ...] = ()
    ask: Ask = field(default=nothing_known, compare=False, repr=False)
    card_pathways: tuple[str | None, ...] = ()

    @property
    def states(self) -> Mapping[str, str]:
        """Pathway → state, where one is certain."""
        return {place.pathway: place.state for place in self.places if place.state}


@dataclass(frozen=True, slots=True)
class Told:
    """What the cards of one call have to say beside their advice.

    Attributes:
        texts: paragraphs that apply.
        unread: orders of drugs nobody can tell.
        unrecorded: what was looked for and is not on record.
    """

    texts: tuple[Applied, ...]
    unread: tuple[MedicationOrder, ...]
    unrecorded: tuple[ChartEntry, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """Every recommendation judged: what applies, the verdicts, what failed."""

    applied: tuple[Applied, ...]
    verdicts: tuple[Verdict, ...]
    errors: tuple[str, ...]


def advise(record: PatientRecord, today: date, library: Library) -> Advice:
    """The advice for one hook call.

    A recommendation that fails is left out and named in ``errors``; the others are unharmed
    (safety.md H-21).
    """
    drafts = [draft for draft in record.drafts if draft.selected]
    case = Case(record, today, factors=library.mme_factors)
    asks = [library.answers(case.about(draft)) for draft in drafts]
    call = _whole_call(asks or [library.answers(case)], library)
    sure = SureAnswers(call)

    judged = _judge_cards(case, library, call, list(zip(drafts, asks, strict=True)))
    places = locate(library.pathways, sure)
    order = _next_steps(library, sure)
    steps = next_steps(judged.applied, order) if record.hook == "patient-view" else ()
    rows = _judge_rows(case, library, call, sure, steps)
    selection = select(judged.applied, rows.applied[:MOST_ROWS], order, record.hook)
    standing = stand(case, places, library.next_step_order, sure)
    texts = _judge_texts(case, library, call, selection.shown)
    shown = with_one_nsaid([with_one_drug_step(plan) for plan in selection.shown])
    nothing: tuple[ChartEntry, ...] = ()
    says = any(map(_says_what_is_unrecorded, shown))
    missing = sure.attempt(lambda: unrecorded(case), nothing, "unrecorded") if says else nothing
    told = Told(texts.applied, unread_drugs(case), missing)
    completed = (_completed(plan, told, library, sure) for plan in shown)
    plans = tuple(with_repeats_marked(completed))
    cards, pathways, broken = _build(plans, record, standing, library)
    failed = (*judged.errors, *rows.errors, *texts.errors, *broken)
    if sure.failed and not failed:  # the place on every card may be incomplete, and must be told
        failed = tuple(plan.leader.recommendation.id for plan in plans)
    none: tuple[str, ...] = ()
    resolved = sure.attempt(lambda: resolved_pathways(case), none, "resolved")
    return Advice(
        cards,
        _outcomes(
            judged.verdicts + rows.verdicts + texts.verdicts,
            plans,
            selection.capped,
            {DRUG_TOO_EARLY, *(text.id for text in library.texts)},
        ),
        (*places, *left_behind(places, resolved)),
        standing.phase,
        tuple(dict.fromkeys(failed)),
        sure,
        pathways,
    )


def _whole_call(asks: Sequence[Answers], library: Library) -> Ask:
    return asks[0] if len(asks) == 1 else CallAnswers(asks, library.draft_facts)


def _judge_cards(
    case: Case,
    library: Library,
    call: Ask,
    drafts: Sequence[tuple[Draft, Ask]],
) -> Judged:
    """Cards of this hook: those about a draft once for each draft, the others once a call."""
    hook = case.record.hook
    once: Sequence[tuple[Draft | None, Ask]] = ((None, call),)
    each = once if hook == "patient-view" else drafts
    questions = [
        (recommendation, ask, draft)
        for recommendation in library.cards[hook]
        for draft, ask in (each if recommendation.id in library.about_drafts else once)
    ]
    return _without_doubts(_judge(questions, case, library), library)


def _without_doubts(judged: Judged, library: Library) -> Judged:
    """The same without advice on whether to give what this service has suggested itself."""
    uses = [
        (advice, advice.draft)
        for advice in judged.applied
        if advice.draft and is_benefit(advice.recommendation)
    ]
    drafts = {draft.position: draft for _, draft in uses}
    own = {at for at, draft in drafts.items() if is_own(draft, library.own_orders)}
    if not own:
        return judged
    doubts = {_key(advice) for advice, draft in uses if draft.position in own}
    return replace(
        judged,
        applied=tuple(advice for advice in judged.applied if _key(advice) not in doubts),
        verdicts=tuple(
            replace(verdict, outcome="suppressed", explain=tuple)
            if (verdict.id, verdict.draft) in doubts
            else verdict
            for verdict in judged.verdicts
        ),
    )


def _judge_rows(
    case: Case,
    library: Library,
    call: Ask,
    sure: SureAnswers,
    steps: Sequence[Applied],
) -> Judged:
    """The option rows of first-line care, or of exercise to be intensified, as they are listed."""
    shown = {step.recommendation.id for step in steps}
    if not shown & {FIRST_LINE, INTENSIFY}:
        return Judged((), (), ())
    questions: list[tuple[Recommendation, Ask, Draft | None]] = [
        (library.recommendations[name], _as_row(call), None)
        for name in _listed_rows(library, sure)
        if not (name == EXERCISE_ROW and INTENSIFY in shown)
    ]
    return _judge(questions, case, library)


def _judge_texts(case: Case, library: Library, call: Ask, shown: Sequence[CardPlan]) -> Judged:
    """The paragraphs that other cards bear, when a card that bears them is shown."""
    told = {
        "parent_card_shown": YES if any(map(_offers_exercise, shown)) else NO,
        "drug_suggestion_shown": YES if any(map(_proposes_drug, shown)) else NO,
    }
    here = [text for text in library.texts if case.record.hook in text.hooks]
    return _judge([(text, given(told, call), None) for text in here], case, library)


def _proposes_drug(plan: CardPlan) -> bool:
    """Whether a card of advice, not one of warning, proposes a drug."""
    proposed = any(template.proposes_drug for m in plan.members for template in m.suggestions)
    return proposed and plan.leader.recommendation.kind == "suggestion"


def _completed(plan: CardPlan, told: Told, library: Library, sure: SureAnswers) -> CardPlan:
    """The card with the paragraphs it bears, what it has to say is unread and not on record.

    A next step also has the pathway it is of.
    """
    step = plan.leader.recommendation.id if is_next_step(plan) else None
    says = told.unrecorded and _says_what_is_unrecorded(plan)
    texts = tuple([text for text in told.texts if _bears(plan, text.recommendation)])
    if not (step or says or texts or told.unread):
        return plan
    return replace(
        plan,
        texts=texts,
        pathway=step and leading_pathway(step, library.next_step_order, library.pathways, sure),
        unread_drugs=len(told_on(plan.members, told.unread)) if told.unread else 0,
        unrecorded=unsaid(told.unrecorded, plan.members) if says else (),
    )


def _says_what_is_unrecorded(plan: CardPlan) -> bool:
    return any(says_what_is_unrecorded(member.recommendation) for member in plan.members)


def _offers_exercise(plan: CardPlan) -> bool:
    """Whether a card is about exercise and other care without drugs."""
    return bool({m.recommendation.id for m in plan.members} & {FIRST_LINE, INTENSIFY, EXERCISE_ROW})


def _bears(plan: CardPlan, text: Recommendation) -> bool:
    """Whether a paragraph belongs on a card; what the card says itself is not said again."""
    if "drug_suggestion_shown" not in text.trigger.names:
        return _offers_exercise(plan)
    said = "non-drug care" in plan.leader.recommendation.detail
    return _proposes_drug(plan) and not said


def _as_row(call: Ask) -> Ask:
    return given({"first_line_card_shown": YES, "row_in_option_set": YES}, call)


def _listed_rows(library: Library, call: Ask) -> tuple[str, ...]:
    """Rows of every option set that fits; the fallback only when no other set does."""
    fitting = [
        option_set
        for option_set in library.option_sets
        if all(call(name).answer is Answer.YES for name in option_set.when)
    ]
    chosen = [option_set for option_set in fitting if not option_set.fallback] or fitting
    return tuple(dict.fromkeys(row for option_set in chosen for row in option_set.rows))


def _judge(
    questions: Sequence[tuple[Recommendation, Ask, Draft | None]],
    case: Case,
    library: Library,
) -> Judged:
    applied: list[Applied] = []
    verdicts: list[Verdict] = []
    errors: list[str] = []
    for recommendation, ask, draft in questions:
        if isinstance(ask, Answers) and ask.rules_out(recommendation.id):
            verdicts.append(withheld(recommendation, ask, draft))
            continue
        try:
            advice, verdict = judge(recommendation, ask, case.record.hook, draft)
        except Exception as failure:  # noqa: BLE001 one failing rule silences no other (H-21)
            report_failure(recommendation.id, failure)
            errors.append(recommendation.id)
            verdicts.append(Verdict(recommendation.id, "failed"))
            continue
        verdicts.append(verdict)
        if advice:
            missing = not_found(recommendation, ask, case.record, library)
            applied.append(offered_here(advice, missing, case, library))
    return Judged(tuple(applied), tuple(verdicts), tuple(errors))


def _build(
    plans: Sequence[CardPlan], record: PatientRecord, standing: Standing, library: Library
) -> tuple[tuple[JSON, ...], tuple[str | None, ...], tuple[str, ...]]:
    """The cards, of each the pathway whose state it tells, and what failed."""
    cards: list[JSON] = []
    pathways: list[str | None] = []
    errors: list[str] = []
    for plan in plans:
        try:
            cards.append(build_card(plan, record, standing, library))
            pathways.append(plan.pathway or standing.pathway)
        except Exception as failure:  # noqa: BLE001 the other cards are still returned (H-21)
            report_failure(plan.leader.recommendation.id, failure)
            errors.append(plan.leader.recommendation.id)
    return tuple(with_each_order_once(cards)), tuple(pathways), tuple(errors)


def _next_steps(library: Library, call: Ask) -> tuple[str, ...]:
    """Ids of the group next-step in the order of the pathways that apply."""
    return tuple(
        name
        for order in library.next_step_order
        if call(order.when).answer is Answer.YES
        for name in order.order
    )


def _outcomes(
    verdicts: Sequence[Verdict],
    shown: Sequence[CardPlan],
    capped: Sequence[CardPlan],
    once: Collection[str],
) -> tuple[Verdict, ...]:
    """Each verdict with what selection made of it: shown, merged, row, text or capped."""
    places: dict[tuple[str, str | None], str] = {}
    for plan in capped:
        places.update({_key(member): "capped" for member in plan.members})
    for plan in shown:
        places[_key(plan.leader)] = "shown"
        places.update({_key(member): "merged" for member in plan.merged})
        places.update({_key(member): "row" for member in plan.rows})
        places.update({_key(text): "text" for text in plan.texts})
    return tuple(
        [
            verdict if verdict.outcome != "shown" else _placed(verdict, places, once)
            for verdict in verdicts
        ]
    )


def _placed(
    verdict: Verdict, places: Mapping[tuple[str, str | None], str], once: Collection[str]
) -> Verdict:
    place = places.get((verdict.id, verdict.draft)) or _unplaced(verdict, once)
    if place == "shown":
        return verdict
    return Verdict(verdict.id, place, verdict.explain, verdict.indicator, verdict.draft)


def _unplaced(verdict: Verdict, once: Collection[str]) -> str:
    """What is said already, or said best of another draft, is suppressed; a cap kept all else."""
    return "suppressed" if verdict.id in once else "capped"


def _key(advice: Applied) -> tuple[str, str | None]:
    return advice.recommendation.id, advice.draft.order.reference if advice.draft else None
