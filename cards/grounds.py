"""The grounds of a card: which are told, in which order, and in which words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

from cards.answer import ChartEntry
from cards.facts.entries import BACK_PAIN_REASONS, belongs
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
    entries = tuple(dict.fromkeys([*first, *others, *unrecorded]))
    told = [entry for entry in entries if not _told_with_more(entry, entries)]
    pain = {c.reference for c in record.conditions if belongs(c.concept, *BACK_PAIN_REASONS)}
    drafts = {_plain(member.draft) for member in members if member.draft}
    return tuple(sorted(told, key=lambda entry: _lateness(entry, pain, drafts)))


def _told_with_more(entry: ChartEntry, entries: Sequence[ChartEntry]) -> bool:
    """Whether another ground names the same entry and more, such as a draft with its dose."""
    more = (f"{entry.display}:", f"{entry.display},")
    return any(
        other.reference == entry.reference and other.display.startswith(more)
        for other in entries
        if entry.reference
    )


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


def drugs_beside(record: PatientRecord, drafts: Collection[Draft]) -> frozenset[str]:
    """References of the drugs on record or drafted, but those of the drafts a card is about."""
    about = {draft.order.reference for draft in drafts}
    orders = (*record.medications, *(draft.order for draft in record.drafts))
    drugs = {order.reference for order in orders if isinstance(order, MedicationOrder)}
    return frozenset(drugs - about)


def in_words(grounds: Sequence[ChartEntry], drugs: AbstractSet[str], most: int | None) -> list[str]:
    """What was calculated, what was found, and what was looked for and not found: a line each.

    Args:
        drugs: references of the drugs beside the draft, of which none is left out.
        most: how many of the other grounds are told; None for all.
    """
    plain = [entry for entry in grounds if entry.reference and not entry.calculated]
    missing = [e.display for e in grounds if not e.reference and not e.calculated]
    paragraphs = _calculation([entry for entry in grounds if entry.calculated])
    if plain:
        paragraphs.append(f"Found in the record: {_shown(plain, drugs, most)}.")
    if missing:
        paragraphs.append(f"Not found in the record: {', '.join(missing)}.")
    return paragraphs


def _shown(found: Sequence[ChartEntry], drugs: AbstractSet[str], most: int | None) -> str:
    """Every drug, and of the other grounds the first few; a single further one is named as well.

    A drug that may still be taken comes first: nobody could ask about one that is not named.
    """
    lapsed = [entry for entry in found if entry.display.startswith(MAY_BE_TAKEN)]
    listed = _said([*lapsed, *(entry for entry in found if entry not in lapsed)])
    named = {name for name, references, _ in listed if references & drugs}
    others = [name for name, _, _ in listed if name not in named]
    hidden = others[most:] if most is not None and len(others) > most + 1 else []
    told = [words for name, _, words in listed if name not in hidden]
    return "; ".join(told) + (f"; and {len(hidden)} more" if hidden else "")


def _said(entries: Sequence[ChartEntry]) -> list[tuple[str, AbstractSet[str], str]]:
    """Name, references and words of the entries, those of one name together.

    The words hold the date, unless the name does.
    """
    together: dict[str, list[ChartEntry]] = {}
    for entry in entries:
        name = escaped(SEMANTIC_TAG.sub("", entry.display) or entry.reference.partition("/")[0])
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
