"""The grounds of a card: which are told, in which order, and in which words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from cards.answer import ChartEntry
from cards.facts.entries import BACK_PAIN_REASONS
from cards.facts.lapsed import MAY_BE_TAKEN
from cards.markdown import escaped
from cards.recommend import Applied
from cards.record import NOTHING, Draft, MedicationOrder, PatientRecord

# What SNOMED CT appends to the name of a concept to tell its kind; of no use to a reader.
SEMANTIC_TAG = re.compile(
    r" \((?:disorder|finding|situation|procedure|regime/therapy|observable entity|event"
    r"|morphologic abnormality|body structure|substance|product|qualifier value)\)$"
)
GROUNDS_SHOWN = 3


def grounds_of(
    members: Sequence[Applied], unrecorded: Sequence[ChartEntry], record: PatientRecord
) -> tuple[ChartEntry, ...]:
    """The grounds of a card's members, none twice, the most telling first.

    First what each member rests on foremost, then the rest; behind them what the reader knows: the
    back pain, and the draft the card is about.

    Args:
        unrecorded: what the card has to say is not on record.
    """
    first = [member.because[0] for member in members if member.because]
    others = [entry for member in members for entry in member.because[1:]]
    told = _without_less_told(list(dict.fromkeys([*first, *others, *unrecorded])))
    if len(told) < 2:
        return tuple(told)
    pain = {condition.reference for condition in record.conditions_in(*BACK_PAIN_REASONS)}
    drafts = {_plain(member.draft) for member in members if member.draft}
    return tuple(sorted(told, key=lambda entry: _lateness(entry, pain, drafts)))


def _without_less_told(entries: list[ChartEntry]) -> list[ChartEntry]:
    """The grounds but those another names with more, such as a draft with its dose."""
    alike: dict[str, list[ChartEntry]] = {}
    for entry in entries:
        alike.setdefault(entry.reference, []).append(entry)
    alike.pop("", None)  # what was not found bears no reference
    if all(len(same) == 1 for same in alike.values()):
        return entries
    return [e for e in entries if not _told_with_more(e, alike.get(e.reference, ()))]


def _told_with_more(entry: ChartEntry, alike: Sequence[ChartEntry]) -> bool:
    """Whether another ground of the same reference says this one and more."""
    more = (f"{entry.display}:", f"{entry.display},")
    return any(other.display.startswith(more) for other in alike)


def _plain(draft: Draft) -> tuple[str, str]:
    """A draft by its reference and name, as a card names it with nothing more to say of it."""
    concept = getattr(draft.order, "drug", getattr(draft.order, "concept", NOTHING))
    return draft.order.reference, concept.name


def _lateness(
    entry: ChartEntry, pain: AbstractSet[str], drafts: AbstractSet[tuple[str, str]]
) -> int:
    """How late a ground is told: the back pain before the mere name of the draft."""
    if (entry.reference, entry.display) in drafts:
        return 2
    return 1 if entry.reference in pain else 0


def drugs_beside(record: PatientRecord, members: Iterable[Applied]) -> frozenset[str]:
    """References of the drugs on record or drafted, but those of the drafts a card is about."""
    about = {member.draft.order.reference for member in members if member.draft}
    orders = (*record.medications, *(draft.order for draft in record.drafts))
    drugs = {order.reference for order in orders if isinstance(order, MedicationOrder)}
    return frozenset(drugs - about)


def in_words(grounds: Sequence[ChartEntry], drugs: AbstractSet[str], most: int | None) -> list[str]:
    """What was calculated, what was found, and what was looked for and not found: a line each.

    Args:
        drugs: references of the drugs beside the draft, of which none is left out.
        most: how many of the other grounds are told; None for all.
    """
    calculated = [entry for entry in grounds if entry.calculated]
    others = [entry for entry in grounds if not entry.calculated] if calculated else grounds
    plain = [entry for entry in others if entry.reference]
    missing = [entry.display for entry in others if not entry.reference]
    paragraphs = _calculation(calculated)
    if plain:
        paragraphs.append(f"Found in the record: {_shown(plain, drugs, most)}.")
    if missing:
        paragraphs.append(f"Not found in the record: {', '.join(missing)}.")
    return paragraphs


def _shown(found: Sequence[ChartEntry], drugs: AbstractSet[str], most: int | None) -> str:
    """Every drug, and of the other grounds the first few; a single further one is named as well.

    A drug that may still be taken comes first: nobody could ask about one that is not named.
    """
    listed = _said(sorted(found, key=lambda entry: not entry.display.startswith(MAY_BE_TAKEN)))
    if not may_be_hidden(len(listed), most):
        return "; ".join(words for _, _, words in listed)
    named = {name for name, references, _ in listed if references & drugs}
    others = [name for name, _, _ in listed if name not in named]
    hidden = others[most:] if may_be_hidden(len(others), most) else []
    told = [words for name, _, words in listed if name not in hidden]
    return "; ".join(told) + (f"; and {len(hidden)} more" if hidden else "")


def may_be_hidden(count: int, most: int | None) -> bool:
    """Whether so many grounds are more than are told; a single further one is named as well."""
    return most is not None and count > most + 1


def _said(entries: Sequence[ChartEntry]) -> list[tuple[str, AbstractSet[str], str]]:
    """Name, references and words of the entries, those of one name together.

    The words hold the date, unless the name does.
    """
    together: dict[str, list[ChartEntry]] = {}
    for entry in entries:
        display = SEMANTIC_TAG.sub("", entry.display) if "(" in entry.display else entry.display
        name = escaped(display or entry.reference.partition("/")[0])
        together.setdefault(name, []).append(entry)
    return [
        (name, {entry.reference for entry in alike}, _dated(name, alike))
        for name, alike in together.items()
    ]


def _dated(name: str, alike: Sequence[ChartEntry]) -> str:
    days = [entry.date for entry in alike if entry.date and entry.date not in entry.display]
    return f"{name} ({_spanned(days)})" if days else name


def _spanned(days: Sequence[str]) -> str:
    first, last = min(days), max(days)
    return first if first == last else f"{len(days)} entries, {first} to {last}"


def _calculation(calculated: Sequence[ChartEntry]) -> list[str]:
    """What was calculated, with all it is made of: nobody can check a sum with parts left out."""
    lines = []
    for entry in calculated:
        words = escaped(entry.display, len(entry.display))
        lines.append(f"- {words} ({entry.date})" if entry.date else f"- {words}")
    return ["Calculated from the record:\n\n" + "\n".join(lines)] if lines else []
