"""A card as CDS Hooks JSON: wording, grounds, sources, suggestions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from cards.answer import ChartEntry
from cards.library import Library
from cards.markdown import LONGEST, escaped, shortened
from cards.recommend import Applied
from cards.recommendation import Recommendation
from cards.record import NOTHING, Coding, Coverage, PatientRecord
from cards.select import CardPlan, is_next_step
from cards.standing import Standing
from cards.suggestion import JSON, Setting, build, ordered, selection_behaviour, without_repeats
from cards.unread_drugs import in_words

TOPIC_SYSTEM = "urn:backpath:recommendation"
OVERRIDE_SYSTEM = "urn:backpath:override-reason"
EXTENSION = "org.backpath.card"
# What SNOMED CT appends to the name of a concept to tell its kind; of no use to a reader.
SEMANTIC_TAG = re.compile(
    r" \((?:disorder|finding|situation|procedure|regime/therapy|observable entity|event"
    r"|morphologic abnormality|body structure|substance|product|qualifier value)\)$"
)
GROUNDS_SHOWN = 3
OFFER = ("suggestions", "selectionBehavior")


def build_card(plan: CardPlan, record: PatientRecord, standing: Standing, library: Library) -> JSON:
    """The card without uuids; they are drawn where randomness may live."""
    leader = plan.leader.recommendation
    grounds = _because(plan.members)
    because = [entry for entry in grounds if entry.reference]
    calculated = [entry for entry in grounds if entry.calculated]
    missing = [e.display for e in grounds if not e.reference and not e.calculated]
    unread = _unread(plan.members, record, library)
    card: JSON = {
        "summary": leader.summary,
        "indicator": plan.leader.indicator,
        "detail": _detail(plan, because, calculated, missing, unread, library),
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


def _because(members: Sequence[Applied]) -> tuple[ChartEntry, ...]:
    """The grounds of every member: the first of each, then the others, none twice."""
    first = [member.because[0] for member in members if member.because]
    others = [entry for member in members for entry in member.because[1:]]
    entries = tuple(dict.fromkeys(first + others))
    return tuple(entry for entry in entries if not _told_with_more(entry, entries))


def _told_with_more(entry: ChartEntry, entries: Sequence[ChartEntry]) -> bool:
    """Whether another ground names the same entry and more, such as a draft with its dose."""
    return any(
        other.reference == entry.reference and other.display.startswith(f"{entry.display}:")
        for other in entries
        if entry.reference
    )


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


def _detail(
    plan: CardPlan,
    because: Sequence[ChartEntry],
    calculated: Sequence[ChartEntry],
    missing: Sequence[str],
    unread: Sequence[str],
    library: Library,
) -> str:
    """Paragraphs: what to do, the rows, the grounds, what was not checked, the sources."""
    paragraphs = _each_once(
        [
            plan.leader.recommendation.detail,
            *(f"**{m.recommendation.summary}**\n\n{m.recommendation.detail}" for m in plan.merged),
            "\n".join(_row(row.recommendation) for row in plan.rows),
        ]
    )
    paragraphs += _calculation(calculated)
    plain = [entry for entry in because if not entry.calculated]
    if plain:
        paragraphs.append(f"Found in the record: {_shown(plain, plan)}.")
    if missing:
        paragraphs.append(f"Not found in the record: {', '.join(missing)}.")
    if unread:
        names = ", ".join(library.key_names.get(key, key) for key in unread)
        paragraphs.append(f"Could not be checked: {names}.")
    if plan.unread_drugs:
        paragraphs.append(in_words(plan.unread_drugs))
    paragraphs += _afterwards(plan, library)
    paragraphs += [text.recommendation.detail for text in plan.texts]
    cited = [member.recommendation for member in (*plan.members, *plan.texts)]
    paragraphs += _differences([r for r in cited if r.render == "card"], library)
    paragraphs.append(_provenance(cited, library))
    if plan.hidden:
        further = "1 further note is" if plan.hidden == 1 else f"{plan.hidden} further notes are"
        paragraphs.append(f"{further} not shown.")
    return "\n\n".join(paragraphs)


def _each_once(paragraphs: Sequence[str]) -> list[str]:
    """The paragraphs without the lines an earlier one said; the members of a card share some."""
    said: set[str] = set()
    kept = []
    for paragraph in paragraphs:
        lines = [line for line in paragraph.splitlines() if line.strip() not in said]
        said.update(line.strip() for line in lines if line.strip())
        kept.append("\n".join(lines).strip())
    return [paragraph for paragraph in kept if paragraph]


def _afterwards(plan: CardPlan, library: Library) -> list[str]:
    """What comes after this step, should it not help enough."""
    pathway = next((p for p in library.pathways if p.id == plan.pathway), None)
    follows = pathway.if_not_enough.get(plan.leader.recommendation.id) if pathway else None
    return [f"If this does not help enough: {follows}"] if follows else []


def _row(recommendation: Recommendation) -> str:
    """One item of a list; the lines of its own text stay within it."""
    card = recommendation.render == "card"
    heading = f"{recommendation.summary}." if card else f"{recommendation.title}:"
    lines = [line for line in recommendation.detail.splitlines() if line]
    told = lines[:1] if card and not _needs_cautions(recommendation) else lines
    return f"- **{heading}** " + "\n  ".join(told)


def _needs_cautions(recommendation: Recommendation) -> bool:
    """Whether a row is said whole: it proposes or names a drug, with what speaks against it."""
    proposes = any(suggestion.proposes_drug for suggestion in recommendation.suggestions)
    return proposes or recommendation.kind == "information"


def _shown(because: Sequence[ChartEntry], plan: CardPlan) -> str:
    """The grounds in words: all of them where advice rests on them, else the first few."""
    told = _said(because)
    advises = is_next_step(plan) or plan.leader.recommendation.kind == "suggestion"
    most = len(told) if advises else max(GROUNDS_SHOWN, len(plan.merged) + 1)
    more = f"; and {len(told) - most} more" if len(told) > most else ""
    return "; ".join(told[:most]) + more


def _calculation(calculated: Sequence[ChartEntry]) -> list[str]:
    """What was calculated, with all it is made of: nobody can check a sum with parts left out."""
    lines = []
    for entry in calculated:
        words = escaped(entry.display, len(entry.display))
        lines.append(f"- {words} ({entry.date})" if entry.date else f"- {words}")
    return ["Calculated from the record:\n\n" + "\n".join(lines)] if lines else []


def _said(because: Sequence[ChartEntry]) -> list[str]:
    """Each entry with its date; entries of one name together, with their first and last date."""
    dates: dict[str, list[str]] = {}
    for entry in because:
        name = escaped(SEMANTIC_TAG.sub("", entry.display) or entry.reference.partition("/")[0])
        dates.setdefault(name, []).extend([entry.date] if entry.date else [])
    return [f"{name} ({_spanned(days)})" if days else name for name, days in dates.items()]


def _spanned(days: Sequence[str]) -> str:
    first, last = min(days), max(days)
    return first if first == last else f"{len(days)} entries, {first} to {last}"


def _differences(recommendations: Iterable[Recommendation], library: Library) -> list[str]:
    conflicts = dict.fromkeys(c for r in recommendations for c in r.conflicts)
    return [library.conflicts[conflict] for conflict in conflicts]


def _provenance(recommendations: Sequence[Recommendation], library: Library) -> str:
    sources = dict.fromkeys(s for r in recommendations for s in r.sources)
    names = ", ".join(library.sources[source] for source in sources)
    return f"*Sources: {names}. {library.disclaimer}*"


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
