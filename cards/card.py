"""A card as CDS Hooks JSON: wording, grounds, suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from cards.answer import ChartEntry
from cards.detail import detail
from cards.grounds import grounds_of
from cards.library import Library
from cards.markdown import LONGEST, shortened
from cards.recommend import Applied
from cards.recommendation import Recommendation
from cards.record import NOTHING, Coverage, PatientRecord, ServiceOrder
from cards.select import CardPlan
from cards.standing import Standing
from cards.suggestion import JSON, Setting, build, ordered, selection_behaviour, without_repeats
from cards.unread_doses import unread_doses

TOPIC_SYSTEM = "urn:backpath:recommendation"
OVERRIDE_SYSTEM = "urn:backpath:override-reason"
EXTENSION = "org.backpath.card"
OFFER = ("suggestions", "selectionBehavior")


def build_card(plan: CardPlan, record: PatientRecord, standing: Standing, library: Library) -> JSON:
    """The card without uuids; they are drawn where randomness may live."""
    leader = plan.leader.recommendation
    grounds = grounds_of(plan.members, plan.unrecorded, record)
    because = [entry for entry in grounds if entry.reference]
    unread = _unread(plan.members, record, library)
    about = [member.draft for member in plan.members if member.draft]
    doses = unread_doses(record, [d.order for d in about], grounds, library.mme_factors)
    card: JSON = {
        "summary": leader.summary,
        "indicator": plan.leader.indicator,
        "detail": detail(plan, record, grounds, unread, doses, library),
        "source": {
            "label": _label(leader, library),
            "topic": {"system": TOPIC_SYSTEM, "code": leader.id, "display": leader.title},
        },
        "extension": {EXTENSION: _extension(plan, because, unread, standing, library)},
    }
    suggestions = _suggestions(plan.members, record, standing, library)
    if suggestions:
        card["suggestions"] = suggestions
        card["selectionBehavior"] = selection_behaviour(suggestions)
    reasons = _override_reasons(plan.members, library)
    if reasons:
        card["overrideReasons"] = reasons
    return card


def _override_reasons(members: Sequence[Applied], library: Library) -> list[JSON]:
    """Each reason any member can be overridden for, once."""
    codes: dict[str, None] = {}
    for member in members:
        codes |= dict.fromkeys(member.recommendation.override_reasons)
    return [
        {"system": OVERRIDE_SYSTEM, "code": code, "display": library.override_reasons[code]}
        for code in codes
    ]


def with_each_order_once(cards: Sequence[JSON]) -> list[JSON]:
    """The cards of one call, a new order on the first that offers it and on no other."""
    seen: set[tuple[str, str]] = set()
    return [_with_new_orders(card, seen) for card in cards]


def _with_new_orders(card: JSON, seen: set[tuple[str, str]]) -> JSON:
    suggestions = card.get("suggestions", ())
    offered = [s for s in suggestions if not _is_offered(s, seen)]
    if len(offered) == len(suggestions):
        return card
    new = {"suggestions": offered, "selectionBehavior": selection_behaviour(offered)}
    changed = {name: new.get(name, value) for name, value in card.items()}
    return changed if offered else {n: v for n, v in changed.items() if n not in OFFER}


def _is_offered(suggestion: JSON, seen: set[tuple[str, str]]) -> bool:
    """Whether an earlier card offers the same new order; notes it when none does."""
    (action,) = suggestion["actions"]
    if action["type"] != "create":
        return False
    resource = action["resource"]
    key = resource["resourceType"], ordered(resource)["coding"][0]["code"]
    known = key in seen
    seen.add(key)
    return known


def _extension(
    plan: CardPlan,
    because: Sequence[ChartEntry],
    unread: Sequence[str],
    standing: Standing,
    library: Library,
) -> JSON:
    members: JSON = {
        "recommendations": [member.recommendation.id for member in plan.members],
        "pathways": list(standing.pathways),
        "state": standing.states.get(plan.pathway) if plan.pathway else standing.state,
        "phase": standing.phase,
        "because": [_grounds(entry) for entry in because],
        "notChecked": list(unread),
        "contentVersion": library.content_version,
    }
    return {name: value for name, value in members.items() if value}


def _grounds(entry: ChartEntry) -> JSON:
    longest = len(entry.display) if entry.calculated else LONGEST
    grounds = {
        "reference": entry.reference,
        "display": shortened(entry.display, longest),
        "date": entry.date,
    }
    return {name: value for name, value in grounds.items() if value}


def _label(recommendation: Recommendation, library: Library) -> str:
    first = library.sources[recommendation.sources[0]]
    return f"Backpath (draft, not for clinical use): {first}"


def _unread(members: Sequence[Applied], record: PatientRecord, library: Library) -> tuple[str, ...]:
    unread = [key for key, found in record.coverage.items() if found is not Coverage.READ]
    if not unread:
        return ()
    read = {key for member in members for key in library.reads[member.recommendation.id]}
    return tuple(key for key in unread if key in read)


def _suggestions(
    members: Sequence[Applied], record: PatientRecord, standing: Standing, library: Library
) -> list[JSON]:
    offering = [member for member in members if member.suggestions]
    drafted = _drafted(record) if offering else set()
    offered = []
    for member in offering:
        region = _region(member, standing, library)
        setting = Setting(record.patient.id, standing.problem, region, member.draft)
        built = [build(template, setting) for template in member.suggestions]
        offered += [each for each in built if each and not _is_drafted(each, drafted)]
    return without_repeats(offered) if len(offered) > 1 else offered


def _drafted(record: PatientRecord) -> set[tuple[str, str]]:
    """The codes of all that is drafted in this call."""
    codes: set[tuple[str, str]] = set()
    for draft in record.drafts:
        concept = getattr(draft.order, "drug", getattr(draft.order, "concept", NOTHING))
        codes.update([(coding.system, coding.code) for coding in concept.codings])
    return codes


def _is_drafted(suggestion: JSON, drafted: AbstractSet[tuple[str, str]]) -> bool:
    """Whether what a suggestion would create is already among the drafts of this call."""
    (action,) = suggestion["actions"]
    if action["type"] != "create":
        return False
    codings = ordered(action["resource"])["coding"]
    return not drafted.isdisjoint([(coding["system"], coding["code"]) for coding in codings])


def _region(member: Applied, standing: Standing, library: Library) -> str:
    """The region the drafted study names, else the one that hurts."""
    order = member.draft.order if member.draft else None
    codings = order.concept.codings if isinstance(order, ServiceOrder) else ()
    named = (library.imaging_regions.get((c.system, c.code)) for c in codings)
    return next((region for region in named if region), standing.region)
