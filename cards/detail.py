"""The detail of a card, in GitHub Markdown: what to do, on what grounds, from which sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cards.answer import ChartEntry
from cards.grounds import GROUNDS_SHOWN, drugs_beside, may_be_hidden
from cards.grounds import in_words as in_words_of_grounds
from cards.library import Library
from cards.recommend import Applied
from cards.recommendation import Recommendation
from cards.record import HookName, MedicationOrder, PatientRecord
from cards.select import CardPlan, is_next_step
from cards.unread_doses import in_words as in_words_of_doses
from cards.unread_drugs import in_words

NO_DRUGS: frozenset[str] = frozenset()
AS_BEFORE = "(said in full on an earlier card)"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the content, taken apart once, and shared by all calls.

    Attributes:
        says: its lines without the blanks around them, empty ones left out.
    """

    text: str
    lines: tuple[str, ...]
    says: frozenset[str]


def detail(
    plan: CardPlan,
    record: PatientRecord,
    grounds: Sequence[ChartEntry],
    unread: Sequence[str],
    unread_doses: Sequence[MedicationOrder],
    library: Library,
) -> str:
    """Paragraphs: what to do, on what grounds and what was not checked, the rest, the sources.

    Args:
        grounds: the chart entries behind the card, and what was looked for and not found.
        unread: prefetch keys that were asked for and not read to the end.
        unread_doses: orders the card is about whose dose could not be read.
    """
    hook, most = record.hook, _most(plan)
    drugs = drugs_beside(record, plan.members) if may_be_hidden(len(grounds), most) else NO_DRUGS
    evidence = [
        *in_words_of_grounds(grounds, drugs, most),
        *([in_words_of_doses(unread_doses)] if unread_doses else []),
        *_unchecked(plan, unread, library),
    ]
    cited = [member.recommendation for member in (*plan.members, *plan.texts)]
    paragraphs = [
        *_advice(plan, hook, evidence),
        *_afterwards(plan, hook, library),
        *(text.recommendation.detail for text in plan.texts),
        *_differences(plan, hook, library),
        _provenance(cited, library),
        *_hidden(plan),
    ]
    return "\n\n".join(paragraphs)


# What to do


def _advice(plan: CardPlan, hook: HookName, evidence: Sequence[str]) -> list[str]:
    """What to do, and why: the evidence near the top, but behind the rows of a next step."""
    told = [_paragraph(_told(plan.leader, hook))]
    told += [_section(member, plan, hook) for member in plan.merged]
    if plan.rows:
        told.append(_joined([_row(row.recommendation, _told(row, hook)) for row in plan.rows]))
    leader, *others = _each_once(told) if len(told) > 1 else [told[0].text]
    after = [*others, *evidence] if is_next_step(plan) else [*evidence, *others]
    return [leader, *after]


def _section(member: Applied, plan: CardPlan, hook: HookName) -> Paragraph:
    """What merged into a card, under its summary; that alone where an earlier card says it."""
    recommendation = member.recommendation
    if recommendation.id in plan.told_before:
        return _paragraph(f"**{recommendation.summary}** {AS_BEFORE}")
    return _under_summary(recommendation, _told(member, hook))


@cache
def _under_summary(recommendation: Recommendation, wording: str) -> Paragraph:
    return _apart(f"**{recommendation.summary}**\n\n{wording}")


def _told(member: Applied, hook: HookName) -> str:
    """The wording of a recommendation, in brief where it is."""
    recommendation = member.recommendation
    return recommendation.brief if _is_brief(member, hook) else recommendation.detail


def _is_brief(member: Applied, hook: HookName) -> bool:
    """Whether it is said in brief: when orders are signed, all that is not critical."""
    return hook == "order-sign" and member.indicator != "critical"


@cache
def _paragraph(text: str) -> Paragraph:
    """A paragraph of these words, which are always of the content."""
    return _apart(text)


def _apart(text: str) -> Paragraph:
    return _of_lines(tuple(text.splitlines()))


def _of_lines(lines: tuple[str, ...]) -> Paragraph:
    says = frozenset(line.strip() for line in lines)
    return Paragraph("\n".join(lines).strip(), lines, says - {""})


def _joined(paragraphs: Sequence[Paragraph]) -> Paragraph:
    return _of_lines(tuple(line for paragraph in paragraphs for line in paragraph.lines))


def _each_once(paragraphs: Sequence[Paragraph]) -> list[str]:
    """The paragraphs without the lines an earlier one said; the members of a card share some."""
    said: set[str] = set()
    kept = []
    for paragraph in paragraphs:
        if said.isdisjoint(paragraph.says):
            kept.append(paragraph.text)
        else:
            lines = [line for line in paragraph.lines if line.strip() not in said]
            kept.append("\n".join(lines).strip())
        said |= paragraph.says
    return [text for text in kept if text]


@cache
def _row(recommendation: Recommendation, wording: str) -> Paragraph:
    """One item of a list; the lines of its own text stay within it."""
    card = recommendation.render == "card"
    heading = f"{recommendation.summary}." if card else f"{recommendation.title}:"
    lines = [line for line in wording.splitlines() if line]
    told = lines[:1] if card and not _needs_cautions(recommendation) else lines
    return _apart(f"- **{heading}** " + "\n  ".join(told))


def _needs_cautions(recommendation: Recommendation) -> bool:
    """Whether a row is said whole: it proposes or names a drug, with what speaks against it."""
    proposes = any(suggestion.proposes_drug for suggestion in recommendation.suggestions)
    return proposes or recommendation.kind == "information"


# On what grounds


def _most(plan: CardPlan) -> int | None:
    """How many grounds are told beside the drugs; all where advice rests on them."""
    advises = is_next_step(plan) or plan.leader.recommendation.kind == "suggestion"
    return None if advises else max(GROUNDS_SHOWN, len(plan.merged) + 1)


def _unchecked(plan: CardPlan, unread: Sequence[str], library: Library) -> list[str]:
    names = ", ".join(library.key_names.get(key, key) for key in unread)
    keys = [f"Could not be checked: {names}."] if unread else []
    drugs = [in_words(plan.unread_drugs)] if plan.unread_drugs else []
    return keys + drugs


# What follows, and where it comes from


def _afterwards(plan: CardPlan, hook: HookName, library: Library) -> list[str]:
    """What comes after this step, should it not help enough."""
    pathway = next((p for p in library.pathways if p.id == plan.pathway), None)
    follows = pathway.if_not_enough.get(plan.leader.recommendation.id) if pathway else None
    told = follows and not _is_brief(plan.leader, hook)
    return [f"If this does not help enough: {follows}"] if told else []


def _differences(plan: CardPlan, hook: HookName, library: Library) -> list[str]:
    """Where the sources differ, of the cards that are not said in brief."""
    differing = [member for member in plan.members if member.recommendation.conflicts]
    whole = (m.recommendation for m in differing if not _is_brief(m, hook))
    conflicts = dict.fromkeys(c for r in whole if r.render == "card" for c in r.conflicts)
    return [library.conflicts[conflict] for conflict in conflicts]


def _provenance(recommendations: Sequence[Recommendation], library: Library) -> str:
    sources: dict[str, None] = {}
    for recommendation in recommendations:
        sources |= dict.fromkeys(recommendation.sources)
    names = ", ".join([library.sources[source] for source in sources])
    return f"*Sources: {names}. {library.disclaimer}*"


def _hidden(plan: CardPlan) -> list[str]:
    further = "1 further note is" if plan.hidden == 1 else f"{plan.hidden} further notes are"
    return [f"{further} not shown."] if plan.hidden else []
