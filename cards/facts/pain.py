"""Back pain: the present episode, and the pathways it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cards.answer import Answer, Finding
from cards.case import Case, fact, once_a_call
from cards.codes import ICD10CM, SNOMED
from cards.facts.entries import (
    BACK_PAIN_REASONS,
    SUSPECTED,
    active_conditions,
    belongs,
    is_active,
    is_sequela,
    presence,
    within,
)
from cards.record import Concept, Condition, When

OTHER_PROBLEMS = ("spinal-stenosis", "disc-disorder", "post-laminectomy")
PATHWAYS = (
    "chronic-low-back-pain",
    "chronic-myofascial-pain",
    "back-muscle-spasm",
    "mid-back-musculoskeletal-pain",
    "upper-mid-back-trigger-points",
)
LOW_BACK, MYOFASCIAL, SPASM, MID_BACK, TRIGGER_POINT = PATHWAYS
FLARE_DAYS = 28
FLARE_SETS = ("back-pain-any", "back-spasm")
SITE_IN_CODE = "site in code"  # note of the value-set rows whose code itself says back

# Strains of the whole back share one value set; only their codes tell the region.
LUMBAR_STRAIN_ICD = ("S39012", "S335", "S338", "S339")
THORACIC_STRAIN_ICD = ("S29012", "S233")
LUMBAR_STRAIN_SNOMED = frozenset({"300956001", "209565008", "309710005", "209548004"})
THORACIC_STRAIN_SNOMED = frozenset({"274162005", "66540002"})


@dataclass(frozen=True, slots=True)
class Episode:
    """The back pain the patient has now.

    Attributes:
        conditions: active back-pain Conditions, myofascial pain and trigger points included.
        onset: the newest recorded onset; None when no Condition bears one.
        onset_known: whether any onset is recorded.
        exacerbation: day of the newest flare on older pain; None without one.
        first_recorded: first day any of the Conditions can have been recorded; None if undated.
    """

    conditions: tuple[Condition, ...] = ()
    onset: When | None = None
    onset_known: bool = False
    exacerbation: date | None = None
    first_recorded: date | None = None


@once_a_call
def episode(case: Case) -> Episode:
    """The active back pain of the patient; empty when none is on record."""
    possible = tuple(
        condition
        for condition in case.record.conditions
        if _tells_back_pain(condition)
        and condition.verification not in SUSPECTED
        and is_active(condition, case.today)
        and not is_sequela(condition.concept)
    )
    if not possible:
        return Episode()
    conditions = tuple(c for c in possible if _of_the_back(c, possible))
    onsets = [condition.onset for condition in conditions if condition.onset]
    onset = max(onsets, key=lambda when: (when.latest, when.text), default=None)
    recorded = [condition.recorded.earliest for condition in conditions if condition.recorded]
    flares = [when for _, when in _flares(conditions, case.today)]
    return Episode(
        conditions,
        onset,
        onset is not None,
        max((when.latest for when in flares), default=None),
        min(recorded, default=None),
    )


def _tells_back_pain(condition: Condition) -> bool:
    """Whether its code or its site may make it back pain; of most problems neither does."""
    if not condition.concept.sets.keys().isdisjoint(BACK_PAIN_REASONS):
        return True
    return bool(condition.body_sites) and _at(condition, "trigger-point")


def _of_the_back(condition: Condition, possible: tuple[Condition, ...]) -> bool:
    # Myofascial pain may be of the neck or a limb; all the rest is of the back by its code or site.
    if belongs(condition.concept, "back-pain-any", "back-spasm"):
        return True
    return _myofascial(condition, possible) or _trigger_point(condition, possible)


def flares(case: Case) -> tuple[tuple[Condition, When], ...]:
    """The Conditions that flared up within 28 days, each with the day it did."""
    return _flares(episode(case).conditions, case.today)


def _flares(conditions: tuple[Condition, ...], today: date) -> tuple[tuple[Condition, When], ...]:
    if not conditions:
        return ()
    old = [condition for condition in conditions if _older(condition, today)]
    dated = ((condition, _flare(condition, old, today)) for condition in conditions)
    return tuple((condition, when) for condition, when in dated if when)


def _flare(condition: Condition, old: Sequence[Condition], today: date) -> When | None:
    """The day a Condition flared up on older pain within the last 28 days; None if it did not.

    A recurrence counts from the day it was recorded. A further Condition counts when it began in
    the window; without onset from its record, unless it is coded as chronic or repeats an older
    one, as the diagnosis of a visit does.
    """
    if condition.clinical in ("recurrence", "relapse") and _recent(condition.recorded, today):
        return condition.recorded
    older = [c for c in old if c is not condition]
    if not older:
        return None
    if condition.onset:
        return condition.onset if _recent(condition.onset, today) else None
    if not belongs(condition.concept, *FLARE_SETS) or coded_chronic(condition):
        return None
    if any(repeats(condition, c) or _told_in_another_system(condition, c) for c in older):
        return None
    return condition.recorded if _recent(condition.recorded, today) else None


def coded_chronic(condition: Condition) -> bool:
    """Whether the code or a stage of the Condition says that the pain is chronic."""
    return any("chronic-pain" in c.sets for c in (condition.concept, *condition.stages))


def repeats(condition: Condition, other: Condition) -> bool:
    """Whether both Conditions bear the same code, whatever its display says."""
    return bool(_codes(condition.concept) & _codes(other.concept))


def _codes(concept: Concept) -> set[tuple[str, str]]:
    return {(coding.system, coding.code) for coding in concept.codings}


def _told_in_another_system(condition: Condition, older: Condition) -> bool:
    # A visit coded in ICD-10-CM may repeat a problem listed in SNOMED CT: that proves no flare.
    systems = {c.system for c in condition.concept.codings}
    apart = systems.isdisjoint(c.system for c in older.concept.codings)
    return apart and condition.concept.sets.keys() <= older.concept.sets.keys()


def _recent(when: When | None, today: date) -> bool:
    return within(when, today, FLARE_DAYS) is Answer.YES


def _older(condition: Condition, today: date) -> bool:
    return within(condition.onset or condition.recorded, today, FLARE_DAYS) is Answer.NO


# Pathways


@once_a_call
def pathway_conditions(case: Case) -> dict[str, tuple[Condition, ...]]:
    """The Conditions that make the patient a member, by pathway; empty where none does."""
    conditions = episode(case).conditions
    members: dict[str, list[Condition]] = {pathway: [] for pathway in PATHWAYS}
    for condition in conditions:
        for pathway in pathways_of(condition, conditions):
            members[pathway].append(condition)
    return {pathway: tuple(named) for pathway, named in members.items()}


def pathways_of(condition: Condition, all_of_them: tuple[Condition, ...]) -> frozenset[str]:
    """Ids of the pathways one Condition names, beside the other back pain the patient has."""
    named = {
        LOW_BACK: _low_back(condition),
        MYOFASCIAL: _myofascial(condition, all_of_them),
        SPASM: "back-spasm" in condition.concept.sets,
        MID_BACK: _mid_back(condition),
        TRIGGER_POINT: _trigger_point(condition, all_of_them),
    }
    return frozenset([pathway for pathway, named_by_it in named.items() if named_by_it])


def resolved_pathways(case: Case) -> tuple[str, ...]:
    """Ids of the pathways named by back pain that is no longer active."""
    past = tuple(
        condition
        for condition in case.record.conditions
        if not is_active(condition, case.today) and condition.verification not in SUSPECTED
    )
    named = frozenset[str]().union(*(pathways_of(condition, past) for condition in past))
    return tuple(pathway for pathway in PATHWAYS if pathway in named)


def _at(condition: Condition, site: str) -> bool:
    return any(site in concept.sets for concept in condition.body_sites)


def without_site(condition: Condition) -> bool:
    """Whether neither a coded body site nor the code itself tells where the pain is."""
    if condition.concept.sets.get("myofascial-pain") == SITE_IN_CODE:
        return False
    return not any(concept.readable for concept in condition.body_sites)


def _low_back(condition: Condition) -> bool:
    sets = condition.concept.sets
    if "low-back-pain" in sets or "radiculopathy-lbp" in sets:
        return True
    if "back-pain-unspecified" in sets:
        return not _at(condition, "thoracic-upper-site")
    return "back-strain" in sets and _coded(condition, LUMBAR_STRAIN_ICD, LUMBAR_STRAIN_SNOMED)


def _mid_back(condition: Condition) -> bool:
    sets = condition.concept.sets
    if "thoracic-back-pain" in sets:
        return True
    if "back-strain" not in sets and "back-pain-unspecified" not in sets:
        return False
    thoracic = _coded(condition, THORACIC_STRAIN_ICD, THORACIC_STRAIN_SNOMED)
    return thoracic or _at(condition, "thoracic-upper-site")


def _coded(condition: Condition, icd: tuple[str, ...], snomed: frozenset[str]) -> bool:
    return any(
        (coding.system == ICD10CM and coding.code.replace(".", "").upper().startswith(icd))
        or (coding.system == SNOMED and coding.code in snomed)
        for coding in condition.concept.codings
    )


def _myofascial(condition: Condition, all_of_them: tuple[Condition, ...]) -> bool:
    if "myofascial-pain" not in condition.concept.sets:
        return False
    if _at(condition, "back-site"):
        return True
    if not without_site(condition):
        return condition.concept.sets["myofascial-pain"] == SITE_IN_CODE and not any(
            site.readable for site in condition.body_sites
        )
    return any(c is not condition and "back-pain-any" in c.concept.sets for c in all_of_them)


def _trigger_point(condition: Condition, all_of_them: tuple[Condition, ...]) -> bool:
    if "trigger-point" in condition.concept.sets or _at(condition, "trigger-point"):
        return True
    if "myofascial-pain" not in condition.concept.sets:
        return False
    beside = any("thoracic-back-pain" in c.concept.sets for c in all_of_them)
    return beside or _at(condition, "thoracic-upper-site")


def _member(case: Case, pathway: str) -> Finding:
    return presence(case, pathway_conditions(case)[pathway], "conditions")


@fact
def pathway_low_back(case: Case) -> Finding:
    """Low back pain, lumbar strain or lumbar radicular pain is active."""
    return _member(case, LOW_BACK)


@fact
def pathway_myofascial(case: Case) -> Finding:
    """Myofascial pain of the back is active, or without a site beside other back pain."""
    return _member(case, MYOFASCIAL)


@fact
def pathway_spasm(case: Case) -> Finding:
    """Spasm of the back muscles is active."""
    return _member(case, SPASM)


@fact
def pathway_mid_back(case: Case) -> Finding:
    """Thoracic back pain or strain is active, by its code or its body site."""
    return _member(case, MID_BACK)


@fact
def pathway_trigger_point(case: Case) -> Finding:
    """Trigger points of the upper or mid back are active."""
    return _member(case, TRIGGER_POINT)


@fact
@once_a_call
def back_pain_problem(case: Case) -> Finding:
    """Back pain, stenosis, a disc disorder or pain after laminectomy is active."""
    pain = episode(case).conditions
    others = tuple(c for c in active_conditions(case, *OTHER_PROBLEMS) if c not in pain)
    return presence(case, (*pain, *others), "conditions")
