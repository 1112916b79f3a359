"""Condition: problems and diagnoses."""

from __future__ import annotations

import re

from cards.record import Condition, When
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.dates import at_age, between_ages, past, period_end, period_start, when
from service.patient_record.elements import Resource, first_within, objects, one_object, text
from service.patient_record.references import relative

CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})
VERIFICATION = frozenset({"confirmed", "unconfirmed", "provisional", "differential"})
ABATEMENTS = ("abatementDateTime", "abatementPeriod", "abatementAge", "abatementRange")

# Whose words say that the patient does not have it; the guideline lists these four. They must be
# said of the Condition itself: "Cauda equina syndrome, denies trauma" is a cauda equina syndrome.
NOT_THE_PATIENTS = re.compile(
    r"family history|ruled[ -]out|\bdenie[sd]\b|no evidence of", re.IGNORECASE
)
CLAUSE_END = re.compile(r"[,;.:()/–—]|\s-\s")
BARE_NEGATION = re.compile(
    r"\s*(?:was |is |has been )?(?:ruled[ -]out|denied|family history)\s*",
    re.IGNORECASE,
)
# Words that say the opposite: "cannot be ruled out" is a suspicion, and must not be lost.
STILL_OPEN = re.compile(
    r"(?:\bnot|cannot|n.t|\bto be|\bunless|\buntil)\s+(?:\w+\s+){0,3}ruled[ -]out", re.IGNORECASE
)


def read_condition(resource: Resource, reference: str, chart: Chart) -> Condition | Dropped:
    """A Condition, or why it does not count. A refuted one is read; see ``is_refuted``."""
    verification = chart.codes_at(resource, "verificationStatus")
    if ENTERED_IN_ERROR in verification:
        return Dropped.ENTERED_IN_ERROR
    if chart.told(resource, "code", _says_not_the_patients):
        return Dropped.NEGATED
    abatement = _abatement(resource, chart)
    clinical = first_within(chart.codes_at(resource, "clinicalStatus"), CLINICAL)
    if clinical is None and abatement is None and _abated_undated(resource):
        clinical = "resolved"  # R4 rule con-4: what has abated is not active
    return Condition(
        reference=reference,
        concept=chart.concept_at(resource, "code"),
        clinical=clinical,
        verification=first_within(verification, VERIFICATION),
        categories=frozenset(chart.codes_at(resource, "category")),
        body_sites=chart.concepts_at(resource, "bodySite"),
        stages=tuple(
            concept
            for stage in objects(resource.get("stage"))
            for concept in chart.concepts_at(stage, "summary")
        ),
        onset=onset_of(resource, chart),
        abatement=abatement,
        recorded=past(resource.get("recordedDate"), chart.today),
        encounter=relative(resource.get("encounter"), "Encounter"),
    )


def is_refuted(resource: Resource, chart: Chart) -> bool:
    """Whether someone refuted the Condition."""
    return "refuted" in chart.codes_at(resource, "verificationStatus")


def _says_not_the_patients(code: object, _: Chart) -> bool:
    concept = one_object(code)
    words = {text(code), text(concept.get("text"))}
    words.update(text(coding.get("display")) for coding in objects(concept.get("coding")))
    return any(_negated(STILL_OPEN.sub("", word)) for word in words)


def _negated(words: str) -> bool:
    """Whether the first clause negates, or a later one is nothing but a negation."""
    first, *others = CLAUSE_END.split(words)
    return bool(NOT_THE_PATIENTS.search(first)) or any(map(BARE_NEGATION.fullmatch, others))


def onset_of(resource: Resource, chart: Chart) -> When | None:
    """When it began, as a date or by an age; None when not recorded or still ahead."""
    written = resource.get("onsetDateTime") or period_start(resource.get("onsetPeriod"))
    if written:
        return past(written, chart.today)
    by_age = at_age(resource.get("onsetAge"), chart.birth)
    return _not_ahead(by_age or between_ages(resource.get("onsetRange"), chart.birth), chart)


def _abatement(resource: Resource, chart: Chart) -> When | None:
    period = resource.get("abatementPeriod")
    written = resource.get("abatementDateTime") or period_end(period) or period_start(period)
    if written:
        return past(written, chart.today)
    return _not_ahead(at_age(resource.get("abatementAge"), chart.birth), chart)


def _abated_undated(resource: Resource) -> bool:
    """Whether it has abated at a time that cannot be told; one still ahead has not."""
    if resource.get("abatementBoolean") is True or text(resource.get("abatementString")):
        return True
    if when(resource.get("abatementDateTime")) or when(period_end(resource.get("abatementPeriod"))):
        return False
    return any(resource.get(name) for name in ABATEMENTS)


def _not_ahead(found: When | None, chart: Chart) -> When | None:
    return past(found.earliest.isoformat(), chart.today) and found if found else None
