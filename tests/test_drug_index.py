"""Drugs are recognised by code, never guessed, and not believed against their own name."""

from __future__ import annotations

import csv
import shutil
import time
from pathlib import Path

import pytest

from cards.codes import RXNORM, SNOMED, CodeIndex
from cards.content import ContentError
from cards.drug_index import NO_DRUGS, DrugIndex, index_drugs, with_products
from cards.library import Library
from cards.product import Product, Strength
from cards.recognition import Unreadable, recognise, says_another, with_route
from cards.record import NOTHING, Coding, Concept, Dosage
from cards.terminology_files import read_drugs

TABLES = Path(__file__).resolve().parent.parent / "cards" / "terminology"
NDC = "http://hl7.org/fhir/sid/ndc"
HYDROCODONE_APAP = "833036"
WARFARIN = "855324"
BUPRENORPHINE_FILM = "1010600"
IBUPROFEN_ADVIL = "153008"
IBUPROFEN_200 = "310965"
IBUPROFEN_400 = "197805"
OXYCODONE_APAP = "1049221"
PERCOCET = "1049625"
TYLENOL_CODEINE = "993837"
OXYCODONE_15 = "1049611"
OXYCODONE_5 = "1049621"
ACETAMINOPHEN_325 = "313782"
ASPIRIN_81 = "243670"
FUROSEMIDE = "4603"
OXYCONTIN_10 = "1049504"
DICLOFENAC_PATCH = "855626"
LIDOCAINE_PATCH = "1737778"
MENTHOL_PATCH = "259546"
FENTANYL_PATCH = "245134"
BUPRENORPHINE_PATCH = "388506"
METHYLPREDNISOLONE_PACK = "762675"
ACETAMINOPHEN, HYDROCODONE, OXYCODONE, DICLOFENAC = "161", "5489", "7804", "3355"
HYDROCODONE_BITARTRATE = "142439"
ACETAMINOPHEN_HYDROCODONE = "214182"
NAPROXEN_SODIUM, NAPROXEN = "142442", "7258"


@pytest.fixture(scope="module")
def drugs(library: Library) -> DrugIndex:
    """The real tables."""
    return library.drugs


def known(drugs: DrugIndex, code: str) -> Product:
    """The product of a code that is in the tables."""
    product = drugs.product(code)
    assert product is not None
    return product


def coded(code: str, display: str = "", system: str = RXNORM) -> Coding:
    """A coding, of RxNorm unless said otherwise."""
    return Coding(system, code, display)


# The tables


def test_every_product_reads_back(drugs: DrugIndex) -> None:
    """Each of the 8,768 products is found by its code, with all its ingredients and their names."""
    with (TABLES / "products.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    read = [known(drugs, row["rxcui"]) for row in rows]

    assert len(rows) == 8768
    for row, product in zip(rows, read, strict=True):
        amounts = [f"{s.value:g} {s.unit}" for s in product.strengths]
        stated = [part.split(" ") for part in row["strengths"].split(";")]
        assert (product.name, product.form) == (row["name"], row["form"])
        assert product.route == row["route"]
        assert [s.ingredient for s in product.strengths] == row["ingredients"].split(" ")
        assert amounts == [f"{float(value):g} {unit}" for value, unit in stated]
        assert all(s.name and s.name == s.name.lower() for s in product.strengths)


def test_routes_follow_the_dose_form(drugs: DrugIndex) -> None:
    """No product has another route than its dose form."""
    products = [p for p in drugs.products.values() if p.form]

    assert {
        p.code for p in products if p.route != drugs.routes["rxnorm-dose-form-name", p.form]
    } == set()


def test_every_drug_of_a_value_set_is_known(library: Library) -> None:
    """A code that a recommendation asks for is a product or an ingredient in the tables."""
    codes = {code for system, code in library.index.exact if system == RXNORM}

    assert {code for code in codes if library.drugs.product(code) is None} == set()


def test_the_tables_are_read_fast_enough() -> None:
    """The service starts without a noticeable wait: less than 150 ms of work."""
    spent = []
    for _ in range(5):
        began = time.process_time()
        read_drugs(TABLES)
        spent.append(time.process_time() - began)

    assert min(spent) < 0.150


@pytest.mark.parametrize(
    ("name", "row", "place"),
    [
        ("products.csv", "1,a,161,1 MG\n", "products.csv:8770"),
        ("products.csv", "1,a,161 5489,1 MG,Oral Tablet,oral,,,us\n", "products.csv:8770"),
        ("products.csv", "1,a,no-such,1 MG,Oral Tablet,oral,,,us\n", "products.csv:8770"),
        ("products.csv", "1,a,161,one MG,Oral Tablet,oral,,,us\n", "products.csv:8770"),
        ("ingredients.csv", "1,a / b,161 no-such,us\n", "ingredients.csv"),
    ],
)
def test_a_damaged_table_stops_the_start(tmp_path: Path, name: str, row: str, place: str) -> None:
    """A row that cannot be read is named by file and line; no drug is read wrongly instead."""
    folder = tmp_path / "terminology"
    shutil.copytree(TABLES, folder)
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(row)

    with pytest.raises(ContentError, match=place):
        read_drugs(folder)


@pytest.mark.parametrize("name", ["products.csv", "ingredients.csv", "routes.csv"])
def test_a_missing_or_foreign_table_stops_the_start(tmp_path: Path, name: str) -> None:
    """Without one of the tables, or with another file in its place, nothing is served."""
    folder = tmp_path / "terminology"
    shutil.copytree(TABLES, folder)
    (folder / name).write_text("code,words\n", encoding="utf-8")
    with pytest.raises(ContentError, match=f"{name}:1: columns are not"):
        read_drugs(folder)

    (folder / name).unlink()
    with pytest.raises(ContentError, match=name):
        read_drugs(folder)


# What a code stands for


def test_combination_product(drugs: DrugIndex) -> None:
    """A combination tablet has a strength for each of its ingredients."""
    product = known(drugs, HYDROCODONE_APAP)

    assert product.strengths == (
        Strength(ACETAMINOPHEN, "acetaminophen", 750.0, "MG"),
        Strength(HYDROCODONE, "hydrocodone", 7.5, "MG"),
    )
    assert (product.level, product.form, product.route) == ("product", "Oral Tablet", "oral")
    assert product.ingredients == {ACETAMINOPHEN, HYDROCODONE}


def test_pack(drugs: DrugIndex) -> None:
    """A pack is told apart: no dose is computed from it."""
    assert known(drugs, METHYLPREDNISOLONE_PACK).level == "pack"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (OXYCONTIN_10, True),
        (OXYCODONE_15, False),
        (FENTANYL_PATCH, True),
        (HYDROCODONE_BITARTRATE, False),
    ],
)
def test_extended_release(drugs: DrugIndex, code: str, expected: bool) -> None:
    """Slow release is read from the product; an ingredient alone does not tell it."""
    assert known(drugs, code).extended_release is expected


@pytest.mark.parametrize(
    ("code", "route", "unit"),
    [
        (DICLOFENAC_PATCH, "topical", "MG/MG"),
        (LIDOCAINE_PATCH, "topical", "MG/MG"),
        (MENTHOL_PATCH, "topical", "MG/MG"),
        (FENTANYL_PATCH, "transdermal", "MG/HR"),
        (BUPRENORPHINE_PATCH, "transdermal", "MG/HR"),
    ],
)
def test_patches(drugs: DrugIndex, code: str, route: str, unit: str) -> None:
    """A patch for the skin beneath it is topical; one for the whole body transdermal."""
    product = known(drugs, code)

    assert (product.route, product.strengths[0].unit) == (route, unit)


def test_no_pain_patch_for_the_skin_counts_as_systemic(drugs: DrugIndex) -> None:
    """Diclofenac, lidocaine and menthol never reach the whole body through a patch."""
    local = {DICLOFENAC, "6387", "6750"}
    patches = {
        p.route
        for p in drugs.products.values()
        if p.ingredients & local and ("Patch" in p.form or "Transdermal" in p.form)
    }

    assert patches == {"topical"}


@pytest.mark.parametrize(
    ("code", "ingredients"),
    [
        (HYDROCODONE, {HYDROCODONE}),
        (HYDROCODONE_BITARTRATE, {HYDROCODONE}),
        (NAPROXEN_SODIUM, {NAPROXEN}),
        (ACETAMINOPHEN_HYDROCODONE, {ACETAMINOPHEN, HYDROCODONE}),
    ],
)
def test_codes_above_the_product(drugs: DrugIndex, code: str, ingredients: set[str]) -> None:
    """An ingredient, a salt and a combination tell what is in the drug, and nothing else."""
    product = recognise([coded(code)], drugs)

    assert isinstance(product, Product)
    assert (product.level, product.form, product.route) == ("ingredient", "", "")
    assert product.ingredients == ingredients
    assert all((s.value, s.unit) == (None, None) for s in product.strengths)


# What is not recognised


@pytest.mark.parametrize(
    ("codings", "reason"),
    [
        ([], Unreadable.NO_CODE),
        ([coded("0406-0123-01", "Hydrocodone/APAP", NDC)], Unreadable.OTHER_SYSTEM),
        ([coded("MED-17", "oxycodone 5 mg", "urn:our-hospital")], Unreadable.OTHER_SYSTEM),
        ([coded("MED-17", "oxycodone 5 mg", "")], Unreadable.OTHER_SYSTEM),
        ([coded("387517004", "Paracetamol", SNOMED)], Unreadable.OTHER_SYSTEM),
        ([coded("308191", "amoxicillin 500 MG Oral Capsule")], Unreadable.UNKNOWN_CODE),
        ([coded("1049502xxx", "oxycodone")], Unreadable.UNKNOWN_CODE),
    ],
)
def test_what_is_not_recognised_says_why(
    drugs: DrugIndex, codings: list[Coding], reason: Unreadable
) -> None:
    """Text, other code systems and codes in no table are never guessed from their words."""
    assert recognise(codings, drugs, ["oxycodone 5 mg tablet"]) is reason


def test_rxnorm_beside_another_system(drugs: DrugIndex) -> None:
    """An RxNorm code is enough, whatever stands beside it."""
    found = recognise([coded("0406-0123-01", "", NDC), coded(OXYCODONE_15)], drugs)

    assert isinstance(found, Product)
    assert found.code == OXYCODONE_15


def test_a_known_code_beside_an_unknown_one(drugs: DrugIndex) -> None:
    """A retired code beside a current one does not hide the drug."""
    found = recognise([coded("99999999"), coded(OXYCODONE_15)], drugs)

    assert isinstance(found, Product)


# Codes and names


@pytest.mark.parametrize(
    ("code", "display"),
    [
        (HYDROCODONE_APAP, "captopril 25 MG Oral Tablet"),
        (HYDROCODONE_APAP, "Captopril"),
        (HYDROCODONE_APAP, "tramadol hydrochloride 50 MG"),
        (WARFARIN, "Baclofen 10 MG Oral Tablet"),
        (WARFARIN, "Advil 200 mg"),
        (BUPRENORPHINE_FILM, "oxycodone"),
        (BUPRENORPHINE_FILM, "OxyContin"),
        (ACETAMINOPHEN, "ibuprofen"),
        (IBUPROFEN_200, "Tylenol with codeine #3"),
        (OXYCODONE_5, "atorvastatin 20 MG Oral Tablet"),
        (OXYCODONE_5, "metformin"),
        (OXYCODONE_5, "METFORMIN HCL 500 MG TAB"),
        (OXYCODONE_5, "Lipitor"),
        (OXYCODONE_5, "Lasix"),
        (OXYCODONE_5, "zafirlukast 20 MG Oral Tablet"),  # in no table; neither name nor number fit
        (OXYCODONE_5, "APAP"),
        (OXYCODONE_5, "Percocet"),
        (OXYCODONE_5, "oxycodone hydrochloride 5 MG / acetaminophen 325 MG Oral Tablet [Percocet]"),
    ],
)
def test_a_code_whose_name_says_another_drug(drugs: DrugIndex, code: str, display: str) -> None:
    """Codes misused in public data are not believed, be it by ingredient or by brand."""
    assert recognise([coded(code, display)], drugs) is Unreadable.OTHER_NAME


@pytest.mark.parametrize(
    ("code", "display"),
    [
        (HYDROCODONE_APAP, ""),
        (HYDROCODONE_APAP, "HYDROcodone-APAP 7.5/750"),
        (HYDROCODONE_APAP, "Norco"),
        (HYDROCODONE_APAP, "hydrocodone bitartrate & paracetamol, tabs"),
        (HYDROCODONE_APAP, "APAP/HC"),
        (OXYCODONE_APAP, "Percocet 5-325"),
        (OXYCODONE_APAP, "Endocet"),
        (PERCOCET, "OXYCODONE HCL/ACETAMINOPHEN"),
        (TYLENOL_CODEINE, "Tylenol #3"),
        (TYLENOL_CODEINE, "TYLENOL W/CODEINE NO.3 300MG-30MG TABS"),
        (TYLENOL_CODEINE, "APAP w/ codeine"),
        (IBUPROFEN_ADVIL, "Advil 200 mg"),
        (IBUPROFEN_200, "Motrin IB"),
        (IBUPROFEN_200, "take one with food"),
        (IBUPROFEN_200, "Non-aspirin pain reliever"),
        (IBUPROFEN_200, "aspirin-free pain reliever"),
        (WARFARIN, "Coumadin"),
        (WARFARIN, "Jantoven (unknown brand word)"),
        ("198014", "Naprosyn 500 mg tablet"),
        ("849574", "naproxen sodium 220 mg"),
        ("197889", "Lithium 300 mg capsule"),
        (OXYCODONE_5, "Pain pill"),
        (OXYCODONE_5, "PAIN PILL 20 MG TABLET"),
        (OXYCODONE_5, "see comments"),
        (OXYCODONE_5, OXYCODONE_5),
        (OXYCODONE_5, "OXYCODONE-APAP 5-325"),
        (OXYCODONE_5, "OXYC 20 MG TAB"),
        (OXYCODONE_5, "Oxycodon 10 mg Tabletten"),
        (OXYCODONE_5, "oxicodona 5 mg comprimido"),
        (OXYCODONE_5, "Schmerztablette"),
        (OXYCODONE_5, "Roxicodone 15 mg"),
        (OXYCODONE_5, "ROXI"),
        (OXYCODONE, "Percocet"),  # the code of an ingredient says nothing of the others
        (OXYCODONE_APAP, "APAP"),
        (ACETAMINOPHEN_325, "Paracetamol 500 mg"),
        (ACETAMINOPHEN_325, "APAP 500 MG TAB"),
        (ASPIRIN_81, "ASA 81"),
        (FUROSEMIDE, "Lasix"),
    ],
)
def test_a_right_code_is_not_doubted(drugs: DrugIndex, code: str, display: str) -> None:
    """Brands, salts, abbreviations, case, punctuation and unknown words are no contradiction."""
    assert isinstance(recognise([coded(code, display)], drugs), Product)


def test_no_product_is_doubted_by_its_own_names(drugs: DrugIndex) -> None:
    """No product's full name, upper-case name, name without brand, or ingredients contradict it."""
    for product in drugs.products.values():
        unbranded = product.name.split(" [")[0]
        names = (product.name, product.name.upper(), unbranded)
        listed = "/".join(strength.name for strength in product.strengths)
        assert not any(says_another(name, product, drugs) for name in (*names, listed))


def test_words_beside_the_code(drugs: DrugIndex) -> None:
    """The text contradicts by another ingredient; a brand in free words does not."""
    code = [coded(WARFARIN)]

    assert recognise(code, drugs, ["ibuprofen 400 mg"]) is Unreadable.OTHER_NAME
    assert isinstance(recognise(code, drugs, ["as before, not with Advil"]), Product)
    assert isinstance(recognise(code, drugs, ["warfarin, not ibuprofen"]), Product)


def test_the_display_of_a_neighbour_code_counts(drugs: DrugIndex) -> None:
    """A local code's name can contradict the RxNorm code beside it."""
    codings = [coded(WARFARIN), coded("MED-17", "OXYCODONE 5 MG TAB", "urn:our-hospital")]

    assert recognise(codings, drugs) is Unreadable.OTHER_NAME


# Several codes


def test_the_product_wins_over_the_ingredient(drugs: DrugIndex) -> None:
    """Of an ingredient and a product that holds it, the product tells more."""
    for codes in ((OXYCODONE, OXYCODONE_APAP), (OXYCODONE_APAP, ACETAMINOPHEN, OXYCODONE)):
        found = recognise([coded(code) for code in codes], drugs)
        assert isinstance(found, Product)
        assert found.code == OXYCODONE_APAP


def test_generic_and_brand_of_one_product(drugs: DrugIndex) -> None:
    """The generic and the branded code of the same tablet are one product."""
    found = recognise([coded(IBUPROFEN_200), coded(IBUPROFEN_ADVIL)], drugs)

    assert isinstance(found, Product)
    assert (found.level, found.strengths[0].value) == ("product", 200.0)


@pytest.mark.parametrize(
    "codes",
    [
        (OXYCODONE_15, IBUPROFEN_200),
        (OXYCODONE_15, OXYCODONE_APAP),
        (OXYCODONE_15, ACETAMINOPHEN),
        (OXYCODONE_15, ACETAMINOPHEN_HYDROCODONE),
        (OXYCODONE, ACETAMINOPHEN),
    ],
)
def test_codes_of_different_drugs(drugs: DrugIndex, codes: tuple[str, ...]) -> None:
    """Codes that mean different drugs leave the drug unknown, in whichever order."""
    codings = [coded(code) for code in codes]

    assert recognise(codings, drugs) is Unreadable.CODES_DISAGREE
    assert recognise(codings[::-1], drugs) is Unreadable.CODES_DISAGREE


@pytest.mark.parametrize("other", [IBUPROFEN_400, "206878"])
def test_codes_of_different_strength_leave_the_ingredient(drugs: DrugIndex, other: str) -> None:
    """The drug is certain, its dose is not: no strength is taken from either code."""
    found = recognise([coded(IBUPROFEN_200), coded(other)], drugs)

    assert isinstance(found, Product)
    assert (found.level, found.route) == ("ingredient", "oral")
    assert found.strengths == (Strength("5640", "ibuprofen"),)


# Routes


def by_route(*codes: str) -> list[Dosage]:
    """Dosages with these SNOMED routes; an empty code states none."""
    return [Dosage(route=Concept((Coding(SNOMED, c),)) if c else NOTHING) for c in codes]


ORAL, TOPICAL, NASAL, STRANGE = "26643006", "6064005", "46713006", "1"


@pytest.mark.parametrize(
    ("dosages", "expected"),
    [
        (by_route(TOPICAL), "topical"),
        (by_route(ORAL, ORAL), "oral"),
        (by_route(ORAL, TOPICAL), ""),
        (by_route(TOPICAL, ""), ""),
        (by_route(STRANGE), ""),
        ([], ""),
    ],
)
def test_route_of_an_ingredient(drugs: DrugIndex, dosages: list[Dosage], expected: str) -> None:
    """Diclofenac without a form goes the way all its dosages say; else its route is unknown."""
    assert with_route(known(drugs, DICLOFENAC), dosages, drugs).route == expected


def test_the_form_settles_the_route(drugs: DrugIndex) -> None:
    """A patch stays topical, whatever a dosage says."""
    patch = known(drugs, DICLOFENAC_PATCH)

    assert with_route(patch, by_route(ORAL), drugs) is patch


def test_a_concept_of_two_routes_states_none(drugs: DrugIndex) -> None:
    """Oral and topical at once is no route."""
    both = Concept((Coding(SNOMED, ORAL), Coding(SNOMED, TOPICAL)))

    assert drugs.route(both) is None
    assert drugs.route(Concept((Coding(SNOMED, ORAL),))) == "oral"
    assert drugs.route(NOTHING) is None


# Value sets that list ingredients only


def made_up(code: str, route: str, *ingredients: str) -> Product:
    """A made-up product of these ingredients."""
    return Product(code, code, "product", tuple(Strength(i, i) for i in ingredients), route=route)


def test_products_join_the_sets_of_their_ingredients() -> None:
    """A tablet belongs to its ingredient's class; what stays on the skin does not."""
    drugs = index_drugs(
        [
            Product("1", "lisinopril", "ingredient", (Strength("1", "lisinopril"),)),
            Product("2", "ramipril", "ingredient", (Strength("2", "ramipril"),)),
            made_up("11", "oral", "1"),
            made_up("12", "oral", "9", "1"),
            made_up("13", "topical", "1"),
            made_up("14", "nasal", "1"),
            made_up("15", "oral", "2"),
            made_up("16", "oral", "9"),
        ],
        {},
    )
    index = CodeIndex(
        {
            (RXNORM, "1"): {"acei": "", "chosen": ""},
            (RXNORM, "2"): {"acei": "only with a note"},
            (RXNORM, "16"): {"chosen": ""},
        }
    )
    joined = with_products(index, drugs)
    members = {code for (_, code), sets in joined.exact.items() if "acei" in sets}

    assert members == {"1", "2", "11", "12"}
    assert {code for (_, code), sets in joined.exact.items() if "chosen" in sets} == {"1", "16"}


def test_nothing_is_recognised_without_tables() -> None:
    """An empty index knows no code and doubts no name."""
    assert recognise([coded(WARFARIN, "baclofen")], NO_DRUGS) is Unreadable.UNKNOWN_CODE


@pytest.mark.parametrize(
    ("display", "level"),
    [
        ("oxycodone hydrochloride 15 MG Oral Tablet", "product"),
        ("Oxycodone 15mg tabs", "product"),
        ("oxycodone tablets", "product"),
        ("oxycodone 15 mg/5 mL", "product"),
        ("oxycodone hydrochloride 30 MG Oral Tablet", "ingredient"),
        ("oxycodone 5 mg", "ingredient"),
    ],
)
def test_a_name_of_another_strength_takes_the_dose_away(
    drugs: DrugIndex, display: str, level: str
) -> None:
    """Name and code differ in strength: the drug still counts, its dose is not computed."""
    found = recognise([coded(OXYCODONE_15, display)], drugs)

    assert isinstance(found, Product)
    assert found.level == level
    assert found.ingredients == known(drugs, OXYCODONE_15).ingredients
