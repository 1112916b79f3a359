"""A card as CDS Hooks JSON: wording, grounds, suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from cards.answer import ChartEntry
from cards.detail import detail
from cards.grounds import drugs_beside, grounds_of
from cards.library import Library
from cards.markdown import LONGEST, shortened
from cards.recommend import Applied
from cards.recommendation import Recommendation
from cards.record import NOTHING, Coding, Coverage, PatientRecord
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
    drugs = drugs_beside(record, about)
    doses = unread_doses(record, [d.order for d in about], grounds, library.mme_factors)
    card: JSON = {
        "summary": leader.summary,
        "indicator": plan.leader.indicator,
        "detail": detail(plan, record.hook, grounds, drugs, unread, doses, library),
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
    reasons = dict.fromkeys(
        code for m in plan.members for code in m.recommendation.override_reasons
    )
    if reasons:
        card["overrideReasons"] = [
            {"system": OVERRIDE_SYSTEM, "code": code, "display": library.override_reasons[code]}
            for code in reasons
        ]
    return card


def with_each_order_once(cards: Sequence[JSON]) -> list[JSON]:
    """The cards of one call, a new order on the first that offers it and on no other."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for card in cards:
        offered = [s for s in card.get("suggestions", ()) if not _is_offered(s, seen)]
        rest = {name: v for name, v in card.items() if name not in OFFER}
        if offered:
            rest |= {"suggestions": offered, "selectionBehavior": selection_behaviour(offered)}
        kept.append({name: rest[name] for name in (*card, *OFFER) if name in rest})
    return kept


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
    read = {key for member in members for key in library.reads[member.recommendation.id]}
    return tuple(
        key
        for key, coverage in record.coverage.items()
        if key in read and coverage is not Coverage.READ
    )


def _suggestions(
    members: Sequence[Applied], record: PatientRecord, standing: Standing, library: Library
) -> list[dict[str, Any]]:
    built = (
        build(
            template,
            Setting(
                record.patient.id,
                standing.problem,
                _region(member, standing, library),
                member.draft,
            ),
        )
        for member in members
        for template in member.suggestions
    )
    drafted = {
        coding
        for draft in record.drafts
        for coding in getattr(draft.order, "drug", getattr(draft.order, "concept", NOTHING)).codings
    }
    offered = [s for s in built if s and not _is_drafted(s, drafted)]
    return without_repeats(offered)


def _is_drafted(suggestion: JSON, drafted: AbstractSet[Coding]) -> bool:
    """Whether what a suggestion would create is already among the drafts of this call."""
    (action,) = suggestion["actions"]
    if action["type"] != "create":
        return False
    wanted = {(c["system"], c["code"]) for c in ordered(action["resource"])["coding"]}
    return bool(wanted & {(coding.system, coding.code) for coding in drafted})


def _region(member: Applied, standing: Standing, library: Library) -> str:
    """The region the drafted study names, else the one that hurts."""
    concept = getattr(member.draft.order, "concept", None) if member.draft else None
    codings = concept.codings if concept else ()
    named = (library.imaging_regions.get((c.system, c.code)) for c in codings)
    return next((region for region in named if region), standing.region)
