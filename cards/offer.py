"""What a card may offer: the orders of a recommendation that nothing on record speaks against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cards.accepted import once_accepted
from cards.allergens import allergens, allergies_against
from cards.answer import Answer, ChartEntry
from cards.case import Case
from cards.criteria import Ask
from cards.facts.entries import reasons
from cards.facts.vocabulary import keys_read
from cards.library import Library
from cards.recommend import Applied, judge
from cards.recommendation import Recommendation, SuggestionTemplate
from cards.record import Allergy, Draft, PatientRecord
from cards.unread_drugs import holds_back, unread_drugs


def offered_here(
    advice: Applied, missing: tuple[ChartEntry, ...], case: Case, library: Library
) -> Applied:
    """The advice with the orders nothing speaks against, and what it has to tell.

    That is what is missing, and the allergies that withhold an order, in its place.
    """
    orders, told = advice.suggestions, missing
    if orders:
        orders = unbarred(advice.recommendation.id, orders, case, library, advice.draft)
        withheld = [s for s in advice.suggestions if s not in orders]
        told = (*_allergies_told(withheld, advice.draft, case, library), *missing)
        orders = _answering(advice, orders, case, library)
    if not told and orders == advice.suggestions:
        return advice
    because = tuple(dict.fromkeys((*advice.because, *told)))
    return replace(advice, because=because, suggestions=orders)


def unbarred(
    name: str,
    suggestions: tuple[SuggestionTemplate, ...],
    case: Case,
    library: Library,
    draft: Draft | None = None,
) -> tuple[SuggestionTemplate, ...]:
    """The suggestions, less new orders while anything that could speak against them is unread.

    The card then informs and does not propose. A drug nobody can tell speaks against every drug,
    and an allergy to a drug against that drug (H-22).

    Args:
        case: of the whole call, which works out once what is unread.
        draft: the draft the suggestions are about; None when about the patient.
    """
    if case.record.allergies:
        suggestions = tuple(s for s in suggestions if not _allergies(s, draft, case, library))
    unread = unread_drugs(case)
    if unread:
        suggestions = tuple(s for s in suggestions if not any(holds_back(o, s) for o in unread))
    if case.record.read(*library.bars[name]):
        return suggestions
    return tuple(s for s in suggestions if s.rescues or not _orders_anew(s))


def _allergies_told(
    withheld: Sequence[SuggestionTemplate], draft: Draft | None, case: Case, library: Library
) -> tuple[ChartEntry, ...]:
    """The allergies that withhold a suggestion: the card names them in its place."""
    if not withheld or not case.record.allergies:
        return ()
    found = (a for s in withheld for a in _allergies(s, draft, case, library))
    return reasons(dict.fromkeys(found))


def _allergies(
    suggestion: SuggestionTemplate, draft: Draft | None, case: Case, library: Library
) -> tuple[Allergy, ...]:
    drugs = library.drugs
    return allergies_against(suggestion, draft, allergens(case, drugs), drugs)


def _answering(
    advice: Applied,
    suggestions: tuple[SuggestionTemplate, ...],
    case: Case,
    library: Library,
) -> tuple[SuggestionTemplate, ...]:
    """The suggestions, less a change of the drafted drug that leaves the card as due as before."""
    draft = advice.draft
    if draft is None or all(suggestion.action != "update" for suggestion in suggestions):
        return suggestions
    about = case.about(draft)

    def answers(suggestion: SuggestionTemplate) -> bool:
        later = once_accepted(about, suggestion)
        if later is None:
            return True
        ask = library.worked_out(later)
        return judge(advice.recommendation, ask, case.record.hook, later.draft)[0] is None

    return tuple(suggestion for suggestion in suggestions if answers(suggestion))


def _orders_anew(suggestion: SuggestionTemplate) -> bool:
    return suggestion.action == "create" or suggestion.proposes_drug


def not_found(
    recommendation: Recommendation, ask: Ask, record: PatientRecord, library: Library
) -> tuple[ChartEntry, ...]:
    """What the card calls not found.

    Facts that stay unknown although their data were read, and absences that are known.
    """
    return tuple(
        ChartEntry("", words)
        for name, words in recommendation.not_found.items()
        if _is_missing(name, ask(name).answer, record, library)
    )


def _is_missing(name: str, answer: Answer, record: PatientRecord, library: Library) -> bool:
    if library.vocabulary[name].none_of:  # the fact is itself an absence
        return answer is Answer.YES
    return answer is Answer.UNKNOWN and record.read(*keys_read((name,), library.vocabulary))
