"""Drugs the patient takes, may still take, or must not take."""

from __future__ import annotations

from datetime import date, timedelta

from cards.amount import CAPSULES, TABLETS
from cards.answer import NO, UNKNOWN, Finding, yes
from cards.case import Case, fact
from cards.codes import ICD10CM, SNOMED
from cards.facts.entries import (
    TAKEN,
    absence,
    active_medications,
    belongs,
    medications_in,
    possible_medications,
    presence,
    reasons,
)
from cards.facts.lapsed import lapsed
from cards.facts.order_dose import ASPIRIN, daily_mg
from cards.facts.orders import TOPICAL_ROUTES, routes
from cards.record import Allergy, Concept, MedicationOrder
from cards.supply import coverage_window

ASPIRIN_LOW_MG_A_DAY = 325
NAIVE_DAYS = 90
LONG_TERM_DAYS = 90
LONG_TERM_WINDOW_DAYS = 365
LONG_TERM_GAP_DAYS = 14
SKIN = frozenset({"topical", "transdermal"})  # of an NSAID a patch acts where it is put
ROUTE_NOT_STATED = "route not stated"  # note of rows coded without a form
# Taken by mouth and put on the skin as often: no guess, where nothing tells which (H-26).
DICLOFENAC = frozenset({"3355"})
SWALLOWED = TABLETS | CAPSULES
ORAL_WORDS = frozenset({"oral", "orally", "po", "by mouth"})
SKIN_WORDS = frozenset({"topical", "topically", "skin", "cutaneous", "transdermal", "affected"})
NSAID_ALLERGENS = (
    "nsaid-allergy",
    "nsaid-oral",
    "nsaid-parenteral",
    "nsaid-topical",
    "aspirin-low",
    "aspirin-analgesic",
)
# SNOMED CT: anaphylaxis, angio-oedema, asthma, urticaria, hives, bronchospasm, laryngeal oedema.
SERIOUS_REACTIONS = frozenset(
    {"39579001", "41291007", "195967001", "126485001", "247472004", "4386001", "51599000"}
)
# The same in ICD-10-CM: anaphylaxis (food, unspecified, drug), angio-oedema, urticaria, asthma.
SERIOUS_REACTIONS_ICD = ("T780", "T782", "T783", "T886", "L50", "J45", "J46")
# Nausea, vomiting, diarrhoea, headache: the reactions known to be no serious allergy.
MILD_REACTIONS = frozenset({"422587007", "422400008", "62315008", "25064002"})


def drafted_drugs(case: Case, *sets: str) -> tuple[MedicationOrder, ...]:
    """Drugs of the sets among the other drafts of this call."""
    others = case.other_drafts
    if not others:
        return ()
    return tuple(
        draft.order
        for draft in others
        if isinstance(draft.order, MedicationOrder) and belongs(draft.order.drug, *sets)
    )


# NSAIDs


def on_the_skin(order: MedicationOrder) -> bool:
    """Whether a drug coded without its form is used on the skin by its stated route."""
    note = order.drug.sets.get("nsaid-oral", "")
    if ROUTE_NOT_STATED not in note:
        return False
    if order.product and order.product.route:
        return order.product.route in SKIN
    return bool(routes(order) & TOPICAL_ROUTES)


def route_open(order: MedicationOrder) -> bool:
    """Whether nothing tells if an NSAID coded without its form is swallowed or put on the skin.

    By its value set it counts as swallowed unless its route says otherwise. Of diclofenac both are
    as common, so it takes a route or a dose in tablets; any other is in doubt only where its route
    speaks of the skin in words, which nobody reads.

    Source: safety.md, H-26; the note of value set nsaid-oral.
    """
    known = order.product.route if order.product else routes(order)
    if known or ROUTE_NOT_STATED not in order.drug.sets.get("nsaid-oral", ""):
        return False
    written = [dosage.route.display.lower() for dosage in order.dosages]
    if any(SKIN_WORDS & set(words.split()) for words in written):
        return True
    if not order.product or order.product.ingredients != DICLOFENAC:
        return False
    doses = (dosage.dose.unit for dosage in order.dosages if dosage.dose)
    swallowed = any((unit or "").strip("{}").lower() in SWALLOWED for unit in doses)
    return not swallowed and not any(words.strip() in ORAL_WORDS for words in written)


@fact
def oral_nsaid_active(case: Case) -> Finding:
    """A systemic NSAID covers today, or is drafted beside the order under evaluation.

    Aspirin counts only above 325 mg a day. One that may be put on the skin as well: unknown.
    """
    found = (*active_medications(case, "nsaid-oral"), *drafted_drugs(case, "nsaid-oral"))
    systemic = [order for order in found if not on_the_skin(order) and not route_open(order)]
    low_or_high = ("aspirin-analgesic", "aspirin-low")
    aspirin = (*active_medications(case, *low_or_high), *drafted_drugs(case, *low_or_high))
    high = [order for order in aspirin if above_low_dose(order)]
    if not (systemic or high) and any(map(route_open, found)):
        return UNKNOWN
    return presence(case, (*systemic, *high), "medications")


def above_low_dose(aspirin: MedicationOrder) -> bool:
    """Whether aspirin is taken as an NSAID: a daily dose that can be read is over 325 mg."""
    dose = daily_mg(aspirin, ASPIRIN)
    return dose is not None and dose > ASPIRIN_LOW_MG_A_DAY


@fact
def nsaid_topical_active_or_drafted(case: Case) -> Finding:
    """An NSAID for the skin covers today, or is drafted beside the order under evaluation."""
    sets = ("nsaid-topical", "nsaid-oral")
    found = [
        order
        for order in (*active_medications(case, *sets), *drafted_drugs(case, *sets))
        if "nsaid-topical" in order.drug.sets or on_the_skin(order)
    ]
    return presence(case, found, "medications")


@fact
def nsaid_allergy_serious(case: Case) -> Finding:
    """An NSAID or aspirin led to a serious reaction, or is an allergen without stated reaction.

    An entry that is not called an intolerance and states no reaction counts as an allergy.
    """
    serious = [a for a in case.record.allergies if belongs(a.concept, *NSAID_ALLERGENS)]
    return presence(case, [a for a in serious if is_serious(a)], "allergies")


def is_serious(allergy: Allergy) -> bool:
    """Whether it led, or may have led, to a serious reaction; an intolerance only if stated."""
    stated = [reaction for reaction in allergy.reactions if reaction.readable or reaction.display]
    if any(_serious_reaction(reaction) for reaction in stated):
        return True
    # A reaction told only in words, or by a code on neither list, cannot be judged; for an
    # allergy it counts as serious, as does an allergy without any stated reaction.
    mild = bool(stated) and all(_mild_reaction(reaction) for reaction in stated)
    return allergy.kind != "intolerance" and not mild


def _serious_reaction(reaction: Concept) -> bool:
    return any(
        (coding.system == SNOMED and coding.code in SERIOUS_REACTIONS)
        or (
            coding.system == ICD10CM
            and coding.code.replace(".", "").upper().startswith(SERIOUS_REACTIONS_ICD)
        )
        for coding in reaction.codings
    )


def _mild_reaction(reaction: Concept) -> bool:
    return any(c.system == SNOMED and c.code in MILD_REACTIONS for c in reaction.codings)


# Anticoagulants


@fact
def anticoagulant_current(case: Case) -> Finding:
    """An anticoagulant covers today, or is drafted beside the order under evaluation."""
    found = (*active_medications(case, "anticoagulant"), *drafted_drugs(case, "anticoagulant"))
    return presence(case, found, "medications")


@fact
def anticoagulant_possible(case: Case) -> Finding:
    """An anticoagulant may still be taken, though its supply has run out."""
    return lapsed(case, possible_medications(case, "anticoagulant"))


# Opioids


@fact
def opioid_active(case: Case) -> Finding:
    """An opioid covers today."""
    return presence(case, active_medications(case, "opioid"), "medications")


@fact
def opioid_naive_90d(case: Case) -> Finding:
    """No opioid covers any of the 90 days before today.

    An opioid under way whose order bears no date may have covered them: unknown.
    """
    first, last = case.today - timedelta(days=NAIVE_DAYS), case.today - timedelta(days=1)
    if any(start <= last and end >= first for start, end in _opioid_cover(case)):
        return NO
    undated = any(
        order.status in ("active", "on-hold") and coverage_window(order) is None
        for order in medications_in(case, "opioid")
    )
    return yes() if case.record.read("medications") and not undated else UNKNOWN


@fact
def opioid_long_term(case: Case) -> Finding:
    """Opioids cover 90 days or more up to today, with no gap over 14 days."""
    active = active_medications(case, "opioid")
    if active and _days_up_to_today(_opioid_cover(case), case.today) >= LONG_TERM_DAYS:
        return yes(reasons(active))
    return absence(case, "medications")


def _opioid_cover(case: Case) -> list[tuple[date, date]]:
    """First and last covered day of every opioid order that counts as taken."""
    taken = (order for order in medications_in(case, "opioid") if order.status in TAKEN)
    return sorted(window for order in taken if (window := coverage_window(order)))


def _days_up_to_today(windows: list[tuple[date, date]], today: date) -> int:
    """Days from the first of the unbroken cover that reaches today; 0 when none does."""
    oldest = today - timedelta(days=LONG_TERM_WINDOW_DAYS)
    began = reached = None
    for start, end in windows:
        if start > today or end < oldest:
            continue
        if began is None or reached is None or (start - reached).days > LONG_TERM_GAP_DAYS:
            began, reached = max(start, oldest), end
        reached = max(reached, end)
    if began is None or reached is None or reached < today:
        return 0
    return (today - began).days
