"""What is left out of a chart unread is what no fact can see."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from cards.case import Case
from cards.codes import CodeIndex
from cards.facts.vocabulary import closure
from cards.library import load_library
from cards.record import PatientRecord
from service.call import read_call
from service.patient_record import Reading, coverage_of, read_patient_record
from service.prefetch import KEYS
from tests.bench.calls import make_call
from tests.bench.cores import CORES, Core
from tests.drug_calls import DAY, JSON, call, medicine
from tests.generated_care import calls
from tests.generated_records import TODAY, back_pain_views, law

LIBRARY = load_library()
SIFTING_NOTHING = replace(LIBRARY.index, complete=False)
# What only the course of a call can tell is asked of no chart.
ASKED = [
    name
    for name in LIBRARY.vocabulary
    if all(LIBRARY.vocabulary[n].scope != "engine" for n in closure((name,), LIBRARY.vocabulary))
]
NAPROXEN = ("198013", "naproxen 250 MG Oral Tablet")
AMOXICILLIN = ("308182", "amoxicillin 250 MG Oral Capsule")
BACK_PAIN = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]}
EAR_ACHE = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "H92.09"}]}


def _read(request: dict[str, Any], day: date, index: CodeIndex = LIBRARY.index) -> Reading:
    """The reading of a call as it is sent."""
    prefetch = read_call(json.dumps(request).encode())["prefetch"]
    return read_patient_record(
        hook=request["hook"],
        context=request["context"],
        prefetch=prefetch,
        coverage=coverage_of(prefetch, KEYS),
        index=index,
        drugs=LIBRARY.drugs,
        today=day,
    )


def _answers(record: PatientRecord, day: date) -> list[Any]:
    case = Case(record, day, factors=LIBRARY.mme_factors)
    cases = [case, *(case.about(draft) for draft in record.drafts)]
    return [LIBRARY.worked_out(one)(name) for one in cases for name in ASKED]


def _loses_nothing(request: dict[str, Any], day: date) -> bool:
    """Whether every fact is answered as if all of the chart were read."""
    sifted, whole = (
        _read(request, day, index).record for index in (LIBRARY.index, SIFTING_NOTHING)
    )
    return _answers(sifted, day) == _answers(whole, day)


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.fixture)
def test_a_long_chart_is_judged_as_if_all_of_it_were_read(core: Core) -> None:
    """Vital signs, visits and drugs for other ends change no answer."""
    assert _loses_nothing(make_call(core, 50, TODAY).request, TODAY)


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.fixture)
def test_so_is_one_that_comes_in_one_heap(core: Core) -> None:
    """Nor where a client sends entries of all types under one key."""
    request = make_call(core, 50, TODAY).request
    prefetch = request["prefetch"]
    heap = [entry for key in KEYS[1:] for entry in prefetch[key].get("entry", ())]
    sent = {
        key: {"resourceType": "Bundle", "entry": heap if key == "conditions" else []}
        for key in KEYS[1:]
    }

    assert _loses_nothing(request | {"prefetch": prefetch | sent}, TODAY)


@pytest.mark.parametrize("core", CORES, ids=lambda core: core.fixture)
@pytest.mark.parametrize("missing", ["subject", "code", "type"])
def test_so_is_one_with_an_entry_that_lacks_something(core: Core, missing: str) -> None:
    """Nor where one entry of each kind does not say whom it is about, or what it is."""
    request = make_call(core, 50, TODAY).request
    for key in KEYS[1:]:
        for entry in request["prefetch"][key].get("entry", ())[-1:]:
            entry["resource"].pop(missing, None)

    assert _loses_nothing(request, TODAY)


@law(60)
@given(request=back_pain_views())
def test_so_is_any_chart(request: dict[str, Any]) -> None:
    """Nor does what is left out of the charts of patients nobody wrote down."""
    assert _loses_nothing(request, TODAY)


@law(60)
@given(request=calls())
def test_so_is_any_call_about_orders(request: dict[str, Any]) -> None:
    """Nor where something is ordered."""
    assert _loses_nothing(request, TODAY)


@pytest.mark.parametrize(
    ("drug", "more", "read"),
    [
        (AMOXICILLIN, {}, False),
        (AMOXICILLIN, {"reasonCode": [EAR_ACHE]}, False),
        (AMOXICILLIN, {"reasonCode": [BACK_PAIN]}, True),
        (NAPROXEN, {}, True),
        (AMOXICILLIN, {"medicationCodeableConcept": {"text": "amoxicillin"}}, True),
        (("000001", "warfarin 9 MG Oral Tablet"), {}, True),
    ],
)
def test_a_drug_nobody_asks_about_is_left_out(
    drug: tuple[str, str], more: JSON, read: bool
) -> None:
    """Unless it is taken for the back, or may be another drug."""
    request = call(active=(medicine(drug, "m1") | more,))

    assert bool(_read(request, DAY).record.medications) == read


def test_an_order_that_does_not_count_is_counted_whatever_it_orders() -> None:
    """An order for an antibiotic entered in error is named in the log as any other is."""
    wrong = medicine(AMOXICILLIN, "m1") | {"status": "entered-in-error"}
    unwanted = medicine(AMOXICILLIN, "m2") | {"doNotPerform": True}
    proposed = medicine(AMOXICILLIN, "m3") | {"intent": "proposal"}
    reading = _read(call(active=(wrong, unwanted, proposed)), DAY)

    assert Counter(reading.dropped) == {"entered-in-error": 1, "do-not-perform": 1, "proposal": 1}


def test_what_is_of_another_patient_is_counted_whatever_it_says() -> None:
    """Somebody else's ear ache and antibiotic in the chart are named in the log."""
    other = {"subject": {"reference": "Patient/somebody-else"}}
    ache = {"resourceType": "Condition", "id": "c9", "code": EAR_ACHE} | other
    request = call(active=(medicine(AMOXICILLIN, "m1") | other,))
    request["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": [{"resource": ache}]}

    assert _read(request, DAY).dropped == {"other-patient": 2}
