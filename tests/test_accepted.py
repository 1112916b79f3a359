"""What would be accepted: no change of a drug that the record speaks against, or that helps not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cards.library import Library
from cards.recommendation import Recommendation, SuggestionTemplate
from tests.drug_calls import JSON, call, cards, client, medicine, supplied, taken

IBUPROFEN_800 = ("197807", "ibuprofen 800 MG Oral Tablet")
NAPROXEN_500 = ("198014", "naproxen 500 MG Oral Tablet")
CYCLOBENZAPRINE_5 = ("828320", "cyclobenzaprine hydrochloride 5 MG Oral Tablet")
DULOXETINE_60 = ("596934", "duloxetine 60 MG Delayed Release Oral Capsule")
LITHIUM = ("197889", "lithium carbonate 300 MG Oral Capsule")
CLOPIDOGREL = ("309362", "clopidogrel 75 MG Oral Tablet")
PRASUGREL = ("855812", "prasugrel 10 MG Oral Tablet")
ASPIRIN_81 = ("308416", "aspirin 81 MG Delayed Release Oral Tablet")
LABEL_DOSE, SHORTEN, OMEPRAZOLE = (
    "Change to label dose, 14 days",
    "Shorten to 14 days, no refill",
    "Add omeprazole",
)
EVERY_DAY = {**taken(1, "{tbl}"), **supplied(90, 90)}


def offered(*drafts: JSON, active: tuple[JSON, ...] = ()) -> dict[str, JSON]:
    """Label → action of every suggestion of the call."""
    found = cards(client(), call(*drafts, active=active)).values()
    return {s["label"]: s["actions"][0] for card in found for s in card.get("suggestions", ())}


def ibuprofen(times: int, days: float = 30) -> JSON:
    order = medicine(
        IBUPROFEN_800, "d1", **taken(1, "{tbl}", times), **supplied(times * days, days)
    )
    return {**order, "authoredOn": "2026-06-15"}


def cyclobenzaprine(name: str, days: float, since: str, status: str = "active") -> JSON:
    order = medicine(
        CYCLOBENZAPRINE_5, name, status, **taken(1, "{tbl}", 3), **supplied(3 * days, days)
    )
    return {**order, "authoredOn": since}


# An NSAID the record speaks against


def test_no_nsaid_dose_is_proposed_beside_lithium() -> None:
    """A card that advises against the NSAID itself does not offer it in a lower dose."""
    lithium = medicine(LITHIUM, "lithium", **EVERY_DAY)

    assert LABEL_DOSE in offered(ibuprofen(4))
    assert LABEL_DOSE not in offered(ibuprofen(4), active=(lithium,))


BLOCKED = {
    "nsaid-oral": ("oral_nsaid_blocked",),
    "nsaid-topical": ("topical_nsaid_blocked", "topical_nsaid_blocked_except_oral"),
    "lidocaine-topical": ("topical_nsaid_blocked",),
    "cyclobenzaprine": ("cyclobenzaprine_blocked",),
    "duloxetine": ("duloxetine_blocked",),
    "amitriptyline": ("tca_blocked",),
}
# A muscle relaxant on record is the very order that is shortened.
SELF = {"cyclobenzaprine-duration-exceeds-3-weeks": {"muscle_relaxant_28d_on_record"}}
PROTECTS = {"ppi-misoprostol", "naloxone", "acetaminophen"}  # the package blocks none of them


def barred(
    recommendation: Recommendation, template: SuggestionTemplate, library: Library
) -> set[str]:
    """Facts that keep a suggestion from being offered, with all they are made of."""
    names = [*recommendation.exclusions, *template.when_none]
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += library.vocabulary[name].any_of
    return found


def test_what_blocks_a_drug_stands_in_the_way_of_each_proposal_of_it(library: Library) -> None:
    """Every drug proposal, a new order or a change, is withheld by all that blocks the drug."""
    seen = set()
    for recommendation in library.recommendations.values():
        for template in recommendation.suggestions:
            if not template.proposes_drug or template.value_set in PROTECTS:
                continue
            against = barred(recommendation, template, library)
            whole = [
                name
                for name in BLOCKED[str(template.value_set)]
                if set(library.vocabulary[name].any_of) - SELF.get(recommendation.id, set())
                <= against
            ]
            assert whole, (recommendation.id, template.label)
            seen.add(template.value_set)
    assert seen == set(BLOCKED)


AMITRIPTYLINE = ("856783", "amitriptyline hydrochloride 10 MG Oral Tablet")
BACK_PAIN = {
    "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}],
}
IN_THE_MORNING = {
    **taken(1, "{tbl}", timing={"repeat": {"when": ["MORN"], "period": 1, "periodUnit": "d"}}),
    "reasonCode": [BACK_PAIN],
}


@pytest.mark.parametrize(
    ("drug", "draft", "start"),
    [
        (DULOXETINE_60, taken(90), "Change to 30 mg then 60 mg"),
        (AMITRIPTYLINE, IN_THE_MORNING, "Change to 10 mg at bedtime"),
    ],
    ids=["duloxetine", "amitriptyline"],
)
def test_who_takes_a_drug_is_not_told_to_start_it(
    drug: tuple[str, str], draft: JSON, start: str
) -> None:
    """The dose of a first start is offered to who starts, and not to who takes the drug already."""
    already = medicine(drug, "m1", **taken(60), **supplied(30, 30))

    assert start in offered(medicine(drug, "d1", **draft))
    assert start not in offered(medicine(drug, "d1", **draft), active=(already,))


def test_a_changed_order_does_not_tell_the_old_one_in_words() -> None:
    """The narrative of the draft and its rendered dosage would contradict the new dose."""
    told = {
        "text": {"status": "generated", "div": "<div>Ibuprofen 800 mg four times a day</div>"},
        "extension": [
            {"url": "http://example.org/renderedDosageInstruction", "valueMarkdown": "800 mg"},
            {"url": "http://example.org/priority", "valueCode": "high"},
        ],
    }
    resource = offered({**ibuprofen(4), **told})[LABEL_DOSE]["resource"]

    assert "text" not in resource
    assert [e["url"] for e in resource["extension"]] == ["http://example.org/priority"]


# A change that answers the card


def test_a_supply_of_14_days_is_not_shortened_to_14_days() -> None:
    """A second fortnight, which makes more than three weeks: nothing is left to shorten."""
    running = cyclobenzaprine("running", 14, "2026-06-01")
    again = cyclobenzaprine("d1", 14, "2026-06-15")

    assert SHORTEN not in offered(again, active=(running,))


def test_a_shorter_supply_that_is_still_too_long_is_not_offered() -> None:
    """After two weeks 14 days more are beyond three weeks too; for a first order they help."""
    running = cyclobenzaprine("running", 14, "2026-06-01")
    month = cyclobenzaprine("d1", 30, "2026-06-15")

    assert SHORTEN in offered(month)
    assert SHORTEN not in offered(month, active=(running,))


def test_a_dose_that_stays_too_high_with_another_draft_is_not_offered() -> None:
    """With 2400 mg a day in another draft of the call, 1200 mg a day is still too much."""
    other = {**ibuprofen(3), "id": "d2"}

    assert LABEL_DOSE not in offered(ibuprofen(4), other)


def test_the_titration_of_duloxetine_keeps_the_days_of_supply() -> None:
    """Sixty milligrams for 30 days become 30, then 60 mg, for 30 days and without a refill."""
    start = medicine(DULOXETINE_60, "d1", **taken(1, "{capsule}"), **supplied(30, 30))
    dispensed = offered(start)["Change to 30 mg then 60 mg"]["resource"]["dispenseRequest"]

    assert dispensed["expectedSupplyDuration"]["value"] == 30
    assert dispensed["numberOfRepeatsAllowed"] == 0
    assert "quantity" not in dispensed


# Omeprazole and clopidogrel


@pytest.mark.parametrize(
    ("partner", "proposed"),
    [(ASPIRIN_81, True), (PRASUGREL, True), (CLOPIDOGREL, False)],
    ids=["aspirin", "prasugrel", "clopidogrel"],
)
@pytest.mark.parametrize("drug", [NAPROXEN_500, DULOXETINE_60], ids=["naproxen", "duloxetine"])
def test_omeprazole_is_not_proposed_beside_clopidogrel(
    drug: tuple[str, str], partner: tuple[str, str], proposed: bool
) -> None:
    """Omeprazole hinders clopidogrel, not aspirin; the card then asks for a PPI and names none."""
    naproxen = medicine(NAPROXEN_500, "naproxen", **EVERY_DAY)
    beside = medicine(partner, "partner", **EVERY_DAY)
    draft = medicine(drug, "d1", **taken(1, "{tbl}"), **supplied(20, 20))
    active = (beside, naproxen) if drug is DULOXETINE_60 else (beside,)
    name = "nsaid-gi-risk-gastroprotection" if drug is NAPROXEN_500 else "duloxetine-bleeding"
    card = cards(client(), call(draft, active=active))[name]
    found = {s["label"]: s["actions"][0] for s in card.get("suggestions", ())}

    assert (OMEPRAZOLE in found) is proposed
    assert "PPI" in card["detail"]
    assert "omeprazole" not in card["detail"].lower()
    if proposed:
        dispensed = found[OMEPRAZOLE]["resource"]["dispenseRequest"]
        assert dispensed["expectedSupplyDuration"]["value"] == 20


@pytest.mark.parametrize("since", ["2026-05-25", "2025-12-01"], ids=["covers", "lapsed"])
def test_clopidogrel_counts_while_it_may_be_taken(since: str) -> None:
    """A lapsed supply may still be taken, so nothing that hinders it is proposed."""
    beside = medicine(CLOPIDOGREL, "partner", **taken(1, "{tbl}"), **supplied(30, 30))
    aspirin = medicine(ASPIRIN_81, "aspirin", **EVERY_DAY)
    draft = medicine(NAPROXEN_500, "d1", **taken(1, "{tbl}"), **supplied(20, 20))

    assert OMEPRAZOLE in offered(draft, active=(aspirin,))
    assert OMEPRAZOLE not in offered(draft, active=({**beside, "authoredOn": since}, aspirin))


# Gates of our own

CARDS = Path(__file__).resolve().parent.parent / "cards"
Gate = tuple[str, frozenset[str]]  # recommendation, facts that withhold one of its suggestions


def gates() -> set[Gate]:
    """What the files of the recommendations withhold beside the guideline package."""
    found = set()
    for path in (CARDS / "recommendations").glob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        listed = [s["withheld_when"] for s in content["suggestions"] if "withheld_when" in s]
        found |= {(path.stem, frozenset(facts)) for facts in listed}
    return found


def test_the_readme_lists_every_gate_of_our_own() -> None:
    """Each suggestion we withhold beyond the package is named with its facts and with a reason."""
    text = (CARDS / "README.md").read_text(encoding="utf-8")
    table = text.split("### Withheld by our own choice")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    told = [row for row in rows if row and row[0].startswith("`")]

    assert {
        (row[0].strip("`"), frozenset(row[1].strip("`").split("`, `"))) for row in told
    } == gates()
    assert len(told) == len(gates())
    assert all(row[2] for row in told)
