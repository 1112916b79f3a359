"""The grounds on a card: drugs that interact, what raises a risk, what is not on record."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.answer import ChartEntry
from cards.grounds import in_words
from tests.drug_calls import JSON, call, cards, client, medicine, taken

NAPROXEN = ("198014", "naproxen 500 MG Oral Tablet")
IBUPROFEN = ("197807", "ibuprofen 800 MG Oral Tablet")
CELECOXIB = ("205323", "celecoxib 200 MG Oral Capsule")
APIXABAN = ("1364445", "apixaban 5 MG Oral Tablet")
ASPIRIN = ("243670", "Aspirin 81 MG Oral Tablet")
CLOPIDOGREL = ("309362", "clopidogrel 75 MG Oral Tablet")
LITHIUM = ("197889", "lithium carbonate 300 MG Oral Capsule")
SERTRALINE = ("312940", "sertraline 25 MG Oral Tablet")
DULOXETINE = ("596930", "duloxetine 30 MG Delayed Release Oral Capsule")
CYCLOBENZAPRINE = ("828348", "cyclobenzaprine hydrochloride 10 MG Oral Tablet")
TRAMADOL = ("835603", "tramadol hydrochloride 50 MG Oral Tablet")
OXYCODONE = ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
ALPRAZOLAM = ("308047", "alprazolam 0.25 MG Oral Tablet")
ZOLPIDEM = ("854876", "zolpidem tartrate 5 MG Oral Tablet")
GABAPENTIN = ("310431", "gabapentin 300 MG Oral Capsule")
TIZANIDINE = ("313413", "tizanidine 4 MG Oral Tablet")
HYDROXYZINE = ("995258", "hydroxyzine hydrochloride 25 MG Oral Tablet")
PREGABALIN = ("483450", "pregabalin 75 MG Oral Capsule")
ACETAMINOPHEN = ("198440", "Acetaminophen 500 MG Oral Tablet")
PREDNISONE = ("312615", "prednisone 20 MG Oral Tablet")

Drug = tuple[str, str]


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    """The service on the day of the stories."""
    return client()


def actives(*drugs: Drug, **elements: Any) -> tuple[JSON, ...]:
    """Drugs taken, written two weeks ago."""
    return tuple(medicine(drug, f"a{n}", **elements) for n, drug in enumerate(drugs))


def selecting(draft: JSON, *, active: tuple[JSON, ...] = ()) -> JSON:
    """The call when one drug is selected for ordering."""
    request = call(draft, active=active, hook="order-select")
    request["context"]["selections"] = [f"MedicationRequest/{draft['id']}"]
    return request


def line(card: JSON, start: str) -> str:
    """The line of a card that begins so, without its escapes; empty when there is none."""
    lines = card["detail"].replace("\\", "").splitlines()
    return next((x for x in lines if x.startswith(start)), "")


def found(card: JSON) -> str:
    return line(card, "Found in the record: ")


def missing(card: JSON) -> str:
    return line(card, "Not found in the record: ")


# Which are told


@pytest.mark.parametrize(
    ("drafted", "partners", "on"),
    [
        (DULOXETINE, (SERTRALINE, NAPROXEN), "duloxetine-bleeding"),
        (DULOXETINE, (SERTRALINE, TRAMADOL, APIXABAN, LITHIUM), "duloxetine-bleeding"),
        (CELECOXIB, (ASPIRIN, CLOPIDOGREL), "nsaid-anticoagulant"),
        (
            OXYCODONE,
            (ZOLPIDEM, GABAPENTIN, TIZANIDINE, HYDROXYZINE, PREGABALIN),
            "opioid-benzodiazepine-cns",
        ),
        (CYCLOBENZAPRINE, (TRAMADOL, SERTRALINE), "cyclobenzaprine-serotonergic-cns"),
    ],
)
def test_every_drug_that_interacts_is_named(
    service: FlaskClient, drafted: Drug, partners: tuple[Drug, ...], on: str
) -> None:
    """However many cards merged, no partner drug hides behind "and n more"."""
    draft, taken_too = medicine(drafted, "d1"), actives(*partners)
    requests = (selecting(draft, active=taken_too), call(draft, active=taken_too))
    for told in [found(cards(service, request)[on]) for request in requests]:
        assert [name for _, name in partners if name not in told] == []


def test_the_back_pain_and_the_order_come_last(service: FlaskClient) -> None:
    """The reader knows both; the partner drug comes before them."""
    request = call(medicine(NAPROXEN, "d1"), active=actives(APIXABAN))
    told = found(cards(service, request)["nsaid-anticoagulant"])

    places = [told.index(name) for name in ("apixaban", "ow back pain", "naproxen")]
    assert places == sorted(places)


def test_the_pair_is_named_before_the_merged_advice(service: FlaskClient) -> None:
    """A critical pair stands near the top of a long card."""
    request = call(medicine(OXYCODONE, "d1"), active=actives(ALPRAZOLAM))
    card = cards(service, request)["opioid-benzodiazepine-cns"]
    merged = card["extension"]["org.backpath.card"]["recommendations"][1:]

    assert merged
    assert card["detail"].index("alprazolam") < card["detail"].index("**")


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (3, "A 0; A 1; A 2; warfarin"),
        (4, "A 0; A 1; A 2; A 3; warfarin"),
        (5, "A 0; A 1; A 2; warfarin; and 2 more"),
    ],
)
def test_a_long_list_is_cut_but_for_drugs(conditions: int, told: str) -> None:
    """Three conditions are named and the rest counted, a single further one named; drugs always."""
    found = [ChartEntry(f"Condition/{n}", f"A {n}") for n in range(conditions)]
    warfarin = ChartEntry("MedicationRequest/w", "warfarin")

    lines = in_words([*found, warfarin], {warfarin.reference}, 3)

    assert lines == [f"Found in the record: {told}."]


# What raises the risk, in words


def test_two_nsaids_are_called_two(service: FlaskClient) -> None:
    """The stomach is at risk because there are two NSAIDs, and the card says so of both."""
    request = call(medicine(NAPROXEN, "d1"), active=actives(IBUPROFEN))
    told = found(cards(service, request)["nsaid-gi-risk-gastroprotection"])

    assert "naproxen 500 MG Oral Tablet, one of 2 NSAIDs" in told
    assert "ibuprofen 800 MG Oral Tablet, one of 2 NSAIDs" in told
    assert max(map(told.index, ("naproxen", "ibuprofen"))) < told.index("ow back pain")


def test_a_high_dose_is_called_high(service: FlaskClient) -> None:
    """The stomach is at risk because of the dose, and the card says so with the dose."""
    draft = medicine(IBUPROFEN, "d1", **taken(800, times=3))
    card = cards(service, call(draft))["nsaid-gi-risk-gastroprotection"]

    assert "800 MG Oral Tablet: 2400 mg a day, a high dose" in line(card, "- ibuprofen")


def test_days_of_cyclobenzaprine_are_told(service: FlaskClient) -> None:
    """More than 21 days in all: so many covered so far, so many ordered."""
    supply: JSON = {"dispenseRequest": {"expectedSupplyDuration": {"value": 14, "code": "d"}}}
    draft = medicine(CYCLOBENZAPRINE, "d1", **supply)
    request = call(draft, active=actives(CYCLOBENZAPRINE, **supply))
    card = cards(service, request)["cyclobenzaprine-duration-exceeds-3-weeks"]
    detail = card["detail"].replace("\\", "")

    assert "Calculated from the record:" in detail
    assert "Oral Tablet: 14 days covered so far (2026-06-01)" in detail
    assert "Oral Tablet: 14 days ordered" in detail


def test_days_told_hide_no_unread_dose(service: FlaskClient) -> None:
    """The days of an order are told, and that its dose could not be read is told as well."""
    supply: JSON = {"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "d"}}}
    words: JSON = {"dosageInstruction": [{"text": "as directed"}]}
    draft = medicine(CYCLOBENZAPRINE, "d1", **supply, **words)
    card = cards(service, call(draft))["cyclobenzaprine-duration-exceeds-3-weeks"]

    assert "30 days ordered" in card["detail"]
    assert "cyclobenzaprine" in line(card, "Dose could not be read: ")


def test_days_of_an_nsaid_are_told(service: FlaskClient) -> None:
    """A supply of more than 90 days is told with its days."""
    supply: JSON = {"dispenseRequest": {"expectedSupplyDuration": {"value": 120, "code": "d"}}}
    draft = medicine(NAPROXEN, "d1", **supply, **taken(500))
    card = cards(service, call(draft))["nsaid-dose-duration"]

    assert "Oral Tablet: 120 days ordered" in line(card, "- naproxen")


def test_an_egfr_bears_its_name(service: FlaskClient) -> None:
    """A result coded without a display reads as eGFR, in a unit a reader knows."""
    result = {
        "resourceType": "Observation",
        "id": "e1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "62238-1"}]},
        "subject": {"reference": "Patient/pt-ballantyne"},
        "effectiveDateTime": "2026-05-16",
        "valueQuantity": {
            "value": 38,
            "system": "http://unitsofmeasure.org",
            "code": "mL/min/{1.73_m2}",
        },
    }
    request = call(medicine(NAPROXEN, "d1"))
    request["prefetch"]["observations"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "entry": [{"resource": result}],
    }
    card = cards(service, request)["nsaid-ckd"]

    assert "eGFR: 38 mL/min/1.73 m² (2026-05-16)" in found(card)
    assert "eGFR" not in missing(card)


# What is not on record


@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
@pytest.mark.parametrize(
    ("sex", "born", "said"),
    [
        ("female", "1996-01-01", True),
        ("unknown", "1996-01-01", True),
        (None, "1996-01-01", True),
        ("male", "1996-01-01", False),
        ("other", "1996-01-01", False),
        ("female", "1970-06-16", True),
        ("female", "1970-06-15", False),
        ("unknown", None, True),
    ],
)
def test_a_pregnancy_not_on_record_is_said(
    service: FlaskClient, hook: str, sex: str | None, born: str | None, said: bool
) -> None:
    """On NSAID cards, once, for women and unknown sex up to 55; nothing is assumed."""
    naproxen, apixaban = medicine(NAPROXEN, "n1"), medicine(APIXABAN, "a1")
    request = (
        call(active=(naproxen, apixaban), hook=hook)
        if hook == "patient-view"
        else call(naproxen, active=(apixaban,))
    )
    patient = request["prefetch"]["patient"]
    for name, value in (("gender", sex), ("birthDate", born)):
        patient.pop(name)
        patient |= {name: value} if value else {}
    card = cards(service, request)["nsaid-anticoagulant"]

    assert ("pregnancy status" in missing(card)) is said
    assert card["detail"].count("pregnancy status") == said


def test_a_known_pregnancy_status_is_not_missed(service: FlaskClient) -> None:
    """A test that says not pregnant is a status on record."""
    request = call(medicine(NAPROXEN, "d1"), active=actives(APIXABAN))
    status = {
        "resourceType": "Observation",
        "id": "p1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "subject": {"reference": "Patient/pt-ballantyne"},
        "effectiveDateTime": "2026-05-16",
        "valueCodeableConcept": {
            "coding": [{"system": "http://snomed.info/sct", "code": "60001007"}]
        },
    }
    request["prefetch"]["observations"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
        "entry": [{"resource": status}],
    }

    assert "pregnancy" not in missing(cards(service, request)["nsaid-anticoagulant"])


def test_what_was_not_read_is_not_called_not_found(service: FlaskClient) -> None:
    """Without the medication orders no NSAID was looked for; the exercise was."""
    request = call(medicine(OXYCODONE, "d1"))
    del request["prefetch"]["medications"]
    card = cards(service, request)["opioid-last-resort-prerequisites"]

    assert "exercise" in missing(card)
    assert "NSAID" not in missing(card)
    assert "tricyclic" not in missing(card)
    assert "medication orders" in line(card, "Could not be checked: ")


def test_kidney_function_is_missed_once(service: FlaskClient) -> None:
    """A card that says in its own words that an eGFR is missing does not say it again."""
    injury = {
        "resourceType": "Condition",
        "id": "k1",
        "clinicalStatus": {"coding": [{"code": "resolved"}]},
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "N17.9"}],
        },
        "subject": {"reference": "Patient/pt-ballantyne"},
        "onsetDateTime": "2026-04-16",
        "abatementDateTime": "2026-04-20",
    }
    request = call(medicine(NAPROXEN, "d1"))
    request["prefetch"]["conditions"]["entry"].append({"resource": injury})
    request["prefetch"]["conditions"].pop("total")

    assert missing(cards(service, request)["nsaid-ckd"]).count("eGFR") == 1


def test_without_results_nothing_is_called_not_on_record(service: FlaskClient) -> None:
    """Results not delivered: neither eGFR nor pregnancy status was looked for."""
    request = call(medicine(NAPROXEN, "d1"), active=actives(APIXABAN))
    del request["prefetch"]["observations"]

    assert missing(cards(service, request)["nsaid-anticoagulant"]) == ""


def test_a_short_trial_is_not_called_absent(service: FlaskClient) -> None:
    """Three days of naproxen on record: what is missing is a trial that is long enough."""
    naproxen = medicine(
        NAPROXEN,
        "n1",
        status="completed",
        dispenseRequest={"expectedSupplyDuration": {"value": 3, "code": "d"}},
    )
    request = call(medicine(OXYCODONE, "d1"), active=(naproxen,))
    card = cards(service, request)["opioid-last-resort-prerequisites"]

    assert missing(card).startswith("Not found in the record: a long enough trial of ")
    assert "an NSAID" in missing(card)


# Wording of the sources and of what is said before


def test_the_line_on_sources_fits_a_card_that_advises_against(service: FlaskClient) -> None:
    """Acetaminophen alone in chronic pain: the line follows region and phase, not the acute one."""
    reason = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]}]
    draft = medicine(ACETAMINOPHEN, "d1", **taken(1000, times=3), reasonCode=reason)
    shown = cards(service, selecting(draft))
    told = line(shown["acetaminophen-monotherapy-chronic-avoid"], "Sources differ")

    assert "follows ACP/AAFP" not in told
    assert "not alone in chronic" in told


def test_a_steroid_card_says_nothing_of_trigger_points(service: FlaskClient) -> None:
    """Prednisone for back pain has nothing to do with trigger points."""
    reason = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.41"}]}]
    shown = cards(service, selecting(medicine(PREDNISONE, "d1", reasonCode=reason)))
    detail = shown["systemic-corticosteroid-avoid"]["detail"]

    assert "Sources differ" in detail
    assert "trigger point" not in detail


def test_the_steps_before_an_opioid_deny_none(service: FlaskClient) -> None:
    """The lead sentence lists the steps, and calls none of them missing that is on record."""
    detail = cards(service, call(medicine(OXYCODONE, "d1")))["opioid-last-resort-prerequisites"]

    assert "not documented, or could not be checked: exercise" not in detail["detail"]
    assert "Steps before an opioid:" in detail["detail"]


def test_two_opioids_signed_together_are_not_told_twice(service: FlaskClient) -> None:
    """The second card keeps its own advice and refers to the first for what they share."""
    drafts = [medicine(drug, name) for drug, name in ((OXYCODONE, "o1"), (TRAMADOL, "t1"))]
    shown = client().post("/cds-services/back-pain-order-sign", json=call(*drafts)).get_json()
    opioids = [c for c in shown["cards"] if "earlier steps" in str(c) and "screening" in str(c)]
    first, second = [card["detail"] for card in opioids]

    assert "AUDIT-C" in first
    assert "AUDIT-C" not in second
    assert "(said in full on an earlier card)" in second
    assert "(said in full on an earlier card)" not in first
