"""Opioids in morphine equivalents: the two bounds, and the whole calculation on the card."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cards.answer import Answer, Finding
from cards.case import FACTS, Case
from cards.content import ContentError
from cards.library import Library, load_library
from service.settings import read_settings
from tests.drug_calls import DAY, JSON, call, cards, client, medicine, supplied, taken
from tests.reading import reading

OXYCODONE = ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
MORPHINE = ("892582", "morphine sulfate 15 MG Oral Tablet")
PERCOCET = ("1049221", "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet")
FENTANYL = ("245134", "72 HR fentanyl 0.025 MG/HR Transdermal System")
BUPRENORPHINE = ("1359657", "Buprenorphine 0.01 MG/HR Transdermal System")
TRAMADOL = ("10689", "tramadol")
METHADONE = ("864706", "methadone hydrochloride 10 MG Oral Tablet")
TRAMADOL_50 = ("835603", "tramadol hydrochloride 50 MG Oral Tablet")
OXYCODONE_SLOW = (
    "1860129",
    "Abuse-Deterrent 12 HR oxycodone hydrochloride 20 MG Extended Release Oral Tablet",
)
UNKNOWN_OPIOID = ("1012123", "chlorcyclizine / codeine / pseudoephedrine")


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    """The service on the day of the stories."""
    return client()


def levels(found: dict[str, JSON]) -> set[str]:
    return {name for name in found if name.startswith("opioid-mme-")}


def calculation(card: JSON) -> list[str]:
    """The lines of the calculation as a reader sees them."""
    _, _, rest = card["detail"].partition("Calculated from the record:\n\n")
    lines = rest.partition("\n\n")[0].splitlines()
    return [line.removeprefix("- ").replace("\\", "") for line in lines]


def displays(card: JSON) -> list[str]:
    because = card["extension"]["org.backpath.card"]["because"]
    assert all(entry["reference"] for entry in because)
    return [entry["display"] for entry in because]


AS_NEEDED = (
    "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet: 20 mg oxycodone a day × 1.5 "
    "= 0–30 MME as needed (2026-06-01)"
)
DERIVED = (
    "oxycodone hydrochloride 5 MG Oral Tablet: 10 mg a day × 1.5 = 15 MME, derived from "
    "quantity and days of supply (2026-06-01)"
)
BOUNDS = [
    (49.9, set()),
    (50, {"opioid-mme-50"}),
    (50.1, {"opioid-mme-50"}),
    (89.9, {"opioid-mme-50"}),
    (90, {"opioid-mme-90"}),
    (90.1, {"opioid-mme-90"}),
]


@pytest.mark.parametrize(("mme", "expected"), BOUNDS)
@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_the_bounds(service: FlaskClient, hook: str, mme: float, expected: set[str]) -> None:
    """From 50 and from 90 MME a day on, exactly, drafted or taken."""
    order = medicine(MORPHINE, "m1", **taken(mme))
    request = call(active=(order,), hook=hook) if hook == "patient-view" else call(order)

    assert levels(cards(service, request)) == expected


@pytest.mark.parametrize(("mme", "expected"), BOUNDS)
def test_the_bounds_of_a_sum(service: FlaskClient, mme: float, expected: set[str]) -> None:
    """What is taken and all that is drafted add up."""
    request = call(
        medicine(OXYCODONE, "d1", **taken(5, times=2)),
        medicine(TRAMADOL, "d2", **taken(50, times=2)),
        active=(medicine(MORPHINE, "m1", **taken(mme - 35)),),
    )

    assert levels(cards(service, request)) == expected


def test_the_whole_calculation_is_shown(service: FlaskClient) -> None:
    """Every order with its dose, factor and result; what is left out, by name; the sum first."""
    as_needed = taken(1, "{tbl}", times=4, asNeededBoolean=True)
    patch = medicine(FENTANYL, "m2", **taken(1, "{patch}"))
    weekly = medicine(BUPRENORPHINE, "m3", **taken(1, "{patch}"))
    unread = medicine(MORPHINE, "m4", **taken(1, "{patch}"))
    supply = medicine(OXYCODONE, "m5", **supplied(60, 30))
    request = call(medicine(PERCOCET, "d1", **as_needed), active=(patch, weekly, unread, supply))
    card = cards(service, request)["opioid-mme-90"]

    assert calculation(card) == [
        "In all at least 105 MME a day (75 without as-needed doses), CDC 2022 factors",
        "72 HR fentanyl 0.025 MG/HR Transdermal System: 25 mcg/h × 2.4 = 60 MME (2026-06-01)",
        AS_NEEDED,
        DERIVED,
        "buprenorphine: not converted (2026-06-01)",
        "morphine: dose could not be read, left out (2026-06-01)",
    ]
    assert DERIVED.removesuffix(" (2026-06-01)") in displays(card)
    assert "target" in card["detail"]
    assert "reduce now" not in card["detail"].lower()


def test_a_lower_bound_counts(service: FlaskClient) -> None:
    """60 MME that can be read and an opioid that cannot: at least 60, not silence."""
    request = call(medicine(OXYCODONE, "d1", **taken(40)), active=(medicine(MORPHINE, "m1"),))
    card = cards(service, request)["opioid-mme-50"]

    assert calculation(card)[0] == "In all at least 60 MME a day, CDC 2022 factors"


def test_an_order_read_in_part_counts(service: FlaskClient) -> None:
    """10 mg four times a day "and as needed": 60 MME at least, and the card says what is unread."""
    order = medicine(OXYCODONE, "d1", **taken(10, times=4))
    order["dosageInstruction"].append({"text": "and as needed"})
    card = cards(service, call(order))["opioid-mme-50"]
    name = "oxycodone hydrochloride 5 MG Oral Tablet"

    assert calculation(card) == [
        "In all at least 60 MME a day, CDC 2022 factors",
        f"{name}: 40 mg a day × 1.5 = 60 MME (2026-06-01)",
        "oxycodone: part of its dose could not be read, left out (2026-06-01)",
    ]


def test_below_the_bound_an_unread_dose_leaves_it_open(service: FlaskClient) -> None:
    """One tablet of a drug without strength, quantity or days gives no number and no card."""
    request = call(medicine(OXYCODONE, "d1", **taken(20)), active=(medicine(UNKNOWN_OPIOID, "m1"),))

    assert not levels(cards(service, request))


def test_a_renewal_counts_once(service: FlaskClient) -> None:
    """Oxycodone 20 mg a day drafted to follow the same is 30 MME, not 60."""
    again = medicine(
        OXYCODONE, "d1", **taken(20), priorPrescription={"reference": "MedicationRequest/m1"}
    )
    request = call(again, active=(medicine(OXYCODONE, "m1", **taken(20)),))

    assert not levels(cards(service, request))


@pytest.mark.parametrize("written", ["2026-05-17", "2026-05-18", "2026-05-22"])
def test_an_early_refill_counts_once(service: FlaskClient, written: str) -> None:
    """Signed a day, two or six before the supply ends: 60 MME and not 120, and it says why."""
    month = taken(2, "{tbl}", 4) | supplied(240, 30)
    last = medicine(OXYCODONE, "m1", authoredOn=written, **month)
    before = medicine(OXYCODONE, "m0", authoredOn="2026-04-18", **taken(2, "{tbl}", 4))
    refill = medicine(OXYCODONE, "d1", authoredOn="2026-06-15", **month)
    found = cards(service, call(refill, active=(last, before)))
    _, name = OXYCODONE

    assert levels(found) == {"opioid-mme-50"}
    assert calculation(found["opioid-mme-50"]) == [
        "In all 60 MME a day, CDC 2022 factors",
        f"{name}: 40 mg a day × 1.5 = 60 MME, replaces the order of {written} (2026-06-15)",
    ]


def test_refills_on_the_list_count_once(service: FlaskClient) -> None:
    """Overlapping months of 20 mg of oxycodone are 30 MME when the chart is opened."""
    month = taken(2, "{tbl}", 2) | supplied(120, 30)
    days = ("2026-06-14", "2026-05-17", "2026-04-19")
    months = [medicine(OXYCODONE, f"m{day}", authoredOn=day, **month) for day in days]

    assert not levels(cards(service, call(active=tuple(months), hook="patient-view")))


def test_treatment_of_opioid_use_disorder_is_no_pain_opioid(service: FlaskClient) -> None:
    """Methadone for opioid use disorder is named beside the sum of what is for pain."""
    reason = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F11.20"}]}]
    methadone = medicine(METHADONE, "m1", **taken(8, "{tbl}"))
    draft = medicine(OXYCODONE, "d1", **taken(40))
    card = cards(service, call(draft, active=(methadone | {"reasonCode": reason},)))

    assert calculation(card["opioid-mme-50"])[0] == "In all 60 MME a day, CDC 2022 factors"
    assert calculation(card["opioid-mme-50"])[2] == (
        f"{METHADONE[1]}: treats opioid use disorder, not converted (2026-06-01)"
    )
    assert levels(cards(service, call(draft, active=(methadone,)))) == {"opioid-mme-90"}


@pytest.mark.parametrize(
    ("drug", "dosage", "active", "beside", "expected"),
    [
        (FENTANYL, taken(1, "{patch}"), FENTANYL, taken(1, "{patch}"), 60),
        (TRAMADOL_50, taken(2, "{tbl}", 4), TRAMADOL_50, taken(1, "{tbl}", 4), 80),
        (OXYCODONE, taken(40), OXYCODONE_SLOW, taken(1, "{tbl}", 2), 120),
        (OXYCODONE, taken(40), PERCOCET, taken(1, "{tbl}", 4), 90),
        (OXYCODONE, taken(40), MORPHINE, taken(20), 80),
    ],
    ids=["a patch", "a higher dose", "slow release", "a combination", "another opioid"],
)
def test_only_the_same_preparation_is_renewed(
    service: FlaskClient,
    drug: tuple[str, str],
    dosage: JSON,
    active: tuple[str, str],
    beside: JSON,
    expected: float,
) -> None:
    """A refill or a change of dose counts once, another preparation or opioid adds up."""
    request = call(medicine(drug, "d1", **dosage), active=(medicine(active, "m1", **beside),))
    found = cards(service, request)
    [level] = levels(found)

    assert calculation(found[level])[0] == f"In all {expected} MME a day, CDC 2022 factors"


def test_a_draft_of_another_drug_raises_no_card(service: FlaskClient) -> None:
    """Amoxicillin ordered while 60 MME are taken."""
    request = call(
        medicine(("723", "amoxicillin"), "d1"),
        active=(medicine(OXYCODONE, "m1", **taken(40)),),
    )

    assert not levels(cards(service, request))


def test_a_draft_without_id_is_in_the_sum(service: FlaskClient) -> None:
    """The calculation names it, though there is nothing to refer to."""
    order = medicine(OXYCODONE, "d1", **taken(40))
    del order["id"]
    card = cards(service, call(order))["opioid-mme-50"]

    assert len(calculation(card)) == 2
    assert "MME" not in card["detail"].partition("Not found in the record")[2]
    assert all(entry["reference"] for entry in card["extension"]["org.backpath.card"]["because"])


@pytest.mark.parametrize(
    ("chosen", "expected", "words"),
    [
        ("", {"opioid-mme-50"}, "In all 60 MME a day, CDC 2022 factors"),
        ("cdc-2022", {"opioid-mme-50"}, "In all 60 MME a day, CDC 2022 factors"),
        ("cdc-2016", set(), ""),
    ],
)
def test_the_site_chooses_the_table(
    chosen: str, expected: set[str], words: str, tmp_path: Path
) -> None:
    """Tramadol 300 mg is 60 MME by the factors of 2022, and has none in those of 2016."""
    settings = read_settings(
        {
            "BACKPATH_MME_FACTORS": chosen,
            "BACKPATH_DATABASE_URL": f"sqlite:///{tmp_path}/store.sqlite3",
        }
    )
    found = cards(client(settings), call(medicine(TRAMADOL, "d1", **taken(300))))

    assert levels(found) == expected
    assert not words or calculation(found["opioid-mme-50"])[0] == words


def test_a_slip_of_units_is_no_dose(service: FlaskClient) -> None:
    """Tramadol at over five times its label maximum is left out, and said so."""
    request = call(
        medicine(TRAMADOL, "d1", **taken(2001)),
        active=(medicine(OXYCODONE, "m1", **taken(40)),),
    )
    card = cards(service, request)["opioid-mme-50"]

    assert "tramadol: dose could not be read, left out (2026-06-01)" in calculation(card)


# The facts


def finding(name: str, request: JSON, library: Library) -> Finding:
    record = reading(request, DAY, library).record
    draft = record.drafts[0] if record.drafts else None
    return FACTS[name](Case(record, DAY, draft, library.mme_factors))


@pytest.mark.parametrize(
    ("mg", "and_unread", "fifty", "ninety"),
    [
        (49.9, False, "no", "no"),
        (49.9, True, "unknown", "unknown"),
        (50, True, "yes", "unknown"),
        (89.9, False, "yes", "no"),
        (90, True, "no", "yes"),
    ],
)
def test_three_answers(
    library: Library, mg: float, and_unread: bool, fifty: str, ninety: str
) -> None:
    """A lower bound answers yes and never no above itself."""
    active = (medicine(OXYCODONE, "m1"),) if and_unread else ()
    request = call(medicine(MORPHINE, "d1", **taken(mg)), active=active)

    assert finding("mme_50_to_89", request, library).answer.value == fifty
    assert finding("mme_90_or_more", request, library).answer.value == ninety


def test_medicines_not_read_leave_a_lower_bound(library: Library) -> None:
    """Without the list of medicines a sum below the bound is open, and one above it counts."""
    low = call(medicine(MORPHINE, "d1", **taken(20)))
    high = call(medicine(MORPHINE, "d1", **taken(60)))
    for request in (low, high):
        del request["prefetch"]["medications"]
    found = finding("mme_50_to_89", high, library)

    assert finding("mme_50_to_89", low, library).answer is Answer.UNKNOWN
    assert found.answer is Answer.YES
    assert found.because[0].display == "In all at least 60 MME a day, CDC 2022 factors"


def test_an_unknown_table_is_refused() -> None:
    """A version that the file of factors does not hold stops the start."""
    with pytest.raises(ContentError, match="cdc-2030"):
        load_library(mme_factors="cdc-2030")
