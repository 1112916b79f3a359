"""Which resources can matter: those that bear, or point at, a code of some value set.

Most of a long chart is of no concern to a bad back. What no fact can see is left out before it is
read; allergies are always read. A drug is seen by its value sets, where it is not surely another,
and by the reason it is taken for; an order that does not count is read, so that it is counted as
left out. A visit is seen by its type and its reasons, in hospital by its class, and by its date
where the call was made in it or a Condition in the record names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cards.codes import CodeIndex
from cards.facts.encounter import CONTEXT_CLASSES
from cards.facts.entries import BACK_PAIN_REASONS
from cards.facts.pain import OTHER_PROBLEMS
from service.patient_record.bundle import Listed
from service.patient_record.chart import UNCOUNTED, Chart
from service.patient_record.concepts import known_code
from service.patient_record.elements import (
    Resource,
    TooManyElements,
    codes,
    objects,
    one_object,
)
from service.patient_record.references import ABOUT, link, names_patient, reference_text, target
from service.patient_record.remembered import Remembered
from service.patient_record.sieve import DrugSieve, Sieve

PROBLEMS = (*BACK_PAIN_REASONS, *OTHER_PROBLEMS)


def relevance(chart: Chart) -> Mapping[str, Sieve]:
    """By type what can matter in a chart.

    Resources of a type that is not named always can; and all, where the index lacks value sets.
    """
    index, linked, patient_id = chart.index, chart.linked, chart.patient_id
    if not index.complete:
        return {}
    back = Remembered(lambda concept: of_the_back(concept, index))
    another = Remembered(lambda subject: not names_patient(subject, patient_id))
    each_pain = Remembered(
        lambda reasons: any(_may_be_pain(r, linked, back) for r in objects(reasons))
    )
    drugs = _drug_sieve(chart, another, each_pain)
    return {**_sieves(index, another, each_pain), "MedicationRequest": drugs}


def mattering(told: Listed, sieves: Mapping[str, Sieve]) -> Sequence[bool]:
    """Of each entry of a Bundle whether it is more than noise."""
    if len(told.present) > 1:
        each = zip(told.resources, told.kinds, strict=True)
        return [kind not in sieves or not sieves[kind].is_noise(one) for one, kind in each]
    sieve = sieves.get(*told.present) if told.present else None
    return sieve.mattering(told.resources) if sieve else (True,) * len(told.kinds)


def relevance_to_any(index: CodeIndex) -> Mapping[str, Sieve]:
    """By type what can matter whoever it is about, and whatever else their chart holds."""
    if not index.complete:
        return {}
    return _sieves(index, another=None, each_pain=Remembered(bool))


def pain_sieve(index: CodeIndex) -> Sieve:
    """What lets a Condition be a problem of the back, now or once; without one no chart has cards.

    Source: ``cards.facts.pain``, the facts ``back_pain_problem`` and ``pathway_*``.
    """
    present: Remembered[bool] = Remembered(bool)
    told = Remembered(lambda concept: _in_one_of(concept, PROBLEMS, index))
    return Sieve((("code", told),), (("bodySite", present), ("stage", present)))


def reason_sieve(index: CodeIndex) -> Sieve:
    """What lets a visit or an order be for the back, beside the Conditions it points at."""
    present: Remembered[bool] = Remembered(bool)
    each_told = Remembered(lambda c: any(_in_one_of(one, PROBLEMS, index) for one in objects(c)))
    return Sieve([("reasonCode", each_told)], [("contained", present)])


def _sieves(
    index: CodeIndex, another: Remembered[bool] | None, each_pain: Remembered[bool]
) -> Mapping[str, Sieve]:
    """The sieves.

    Args:
        another: whether a subject is somebody else than the patient; None where that is told apart
            elsewhere.
        each_pain: whether a list of reasons may lead to a pain of the back.
    """
    coded = Remembered(lambda concept: _in_a_set(concept, index))
    each_coded = Remembered(lambda concepts: any(_in_a_set(c, index) for c in objects(concepts)))
    each_back = Remembered(lambda reasons: any(of_the_back(r, index) for r in objects(reasons)))
    # What bears concepts further inside; whether those matter is left to their reader.
    present: Remembered[bool] = Remembered(bool)
    # Care of no value set is seen only where it was for the back.
    reasons = (("reasonCode", each_back), ("reasonReference", each_pain))
    about, about_too = ([] if another is None else [(name, another)] for name in ABOUT)
    usual = [("code", coded), *about]
    return {
        "Condition": Sieve(usual, [("bodySite", each_coded), ("stage", present), *about_too]),
        "Observation": Sieve(
            usual,
            [
                ("valueCodeableConcept", each_coded),
                ("component", present),
                ("bodySite", each_coded),
                *about_too,
            ],
        ),
        "Procedure": Sieve(usual, [*reasons, ("outcome", each_coded), *about_too]),
        "ServiceRequest": Sieve(usual, [*reasons, *about_too]),
        "DeviceRequest": Sieve(
            [("codeCodeableConcept", coded), *about],
            [("codeReference", present), *reasons, *about_too],
        ),
        "DiagnosticReport": Sieve(usual, about_too),
        "Encounter": Sieve(
            [("type", each_coded), ("class", Remembered(_is_in_hospital)), *about],
            [
                ("reasonCode", present),
                ("reasonReference", present),
                ("diagnosis", present),
                *about_too,
            ],
        ),
    }


def _drug_sieve(chart: Chart, another: Remembered[bool], each_pain: Remembered[bool]) -> DrugSieve:
    uncounted = Remembered(lambda code: not UNCOUNTED.isdisjoint(codes(code)))
    each_back = Remembered(lambda r: any(of_the_back(one, chart.index) for one in objects(r)))
    present: Remembered[bool] = Remembered(bool)
    about, about_too = ((name, another) for name in ABOUT)
    return DrugSieve(
        (("status", uncounted), ("intent", uncounted), about),
        (
            ("doNotPerform", present),
            ("reasonCode", each_back),
            ("reasonReference", each_pain),
            about_too,
        ),
        chart,
    )


def _is_in_hospital(value: Any) -> bool:
    return not CONTEXT_CLASSES.isdisjoint(code.upper() for code in codes(value))


def _may_be_pain(
    reference: Resource, linked: Mapping[str, Resource], back: Remembered[bool]
) -> bool:
    """Whether a reason is a Condition of the back, or one contained that its reader follows."""
    text = reference_text(reference)
    if text.startswith("#"):
        return True
    condition = linked.get(link("Condition", target(text)[1]))
    return condition is not None and back.of(condition, "code")


def _in_a_set(concept: Any, index: CodeIndex) -> bool:
    """Whether a concept bears a code of some value set."""
    return any(_sets(concept, index))


def of_the_back(concept: Any, index: CodeIndex) -> bool:
    """Whether a concept bears a code of back pain; one with too many codes is no pain to us."""
    try:
        return _in_one_of(concept, BACK_PAIN_REASONS, index)
    except TooManyElements:
        return False


def _in_one_of(concept: Any, names: Iterable[str], index: CodeIndex) -> bool:
    """Whether a concept bears a code of one of these value sets."""
    return any(not sets.keys().isdisjoint(names) for sets in _sets(concept, index))


def _sets(concept: Any, index: CodeIndex) -> Iterator[Mapping[str, str]]:
    """The value sets of each of its codes that is in any."""
    told = one_object(concept)
    for coding in objects(told.get("coding")) or (told,):
        sets = _sets_of(coding, index)
        if sets:
            yield sets


def _sets_of(coding: Resource, index: CodeIndex) -> Mapping[str, str] | None:
    """The value sets of a coding; None when its code is not known."""
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    known = known_code(system, code)
    return index.sets_of(*known) if known else None
