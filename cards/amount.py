"""Amounts: how much of an ingredient is in so many tablets, millilitres, milligrams or patches.

Whatever is left open gives no number: a unit is never guessed from a value, nor a strength from
a name.
"""

from __future__ import annotations

from cards.product import Product, Strength
from cards.record import Quantity

MG_PER = {"mg": 1.0, "g": 1000.0, "ug": 0.001, "mcg": 0.001}
MCG_AN_HOUR_PER = {"ug/h": 1.0, "mcg/h": 1.0, "mg/h": 1000.0}
# Words for units, lower-case and without the braces of UCUM; some are HL7's orderable drug forms.
NO_UNIT = frozenset({"", "1"})
TABLETS = {"tbl", "tab", "tabs", "tablet", "tablets", "pill", "pills", "caplet", "caplets"}
CAPSULES = {"cap", "caps", "capsule", "capsules", "ercap", "entcap", "orcap"}
TABLET_FORMS = {"ortab", "ertab", "ectab", "drtab", "chewtab", "sltab", "disintab"}
OTHERS = {"lozenge", "lozenges", "suppository", "suppositories", "film", "films", "strip", "strips"}
PIECES = NO_UNIT | TABLETS | CAPSULES | TABLET_FORMS | OTHERS
SPRAYS = NO_UNIT | {"spray", "sprays", "actuat", "actuation", "actuations", "puff", "puffs"}
PATCHES = NO_UNIT | {"patch", "patches", "tpatch", "system", "systems"}
VOLUMES = frozenset({"ml"})
# Unit of a strength → units in which so many doses of that strength are counted.
COUNTED_IN = {"MG": PIECES, "MG/ML": VOLUMES, "MG/ACTUAT": SPRAYS}
WORN = "MG/HR"
# Where a drug acts on the spot, or is put once, there is no daily dose to speak of.
WITHOUT_DAILY_DOSE = frozenset({"topical", "ophthalmic", "otic", "vaginal", "implant"})


def strength_of(ingredient: str, product: Product) -> Strength | None:
    """The strength doses of an ingredient are computed with.

    None of packs, of drugs that act on the spot, and where the ingredient is named twice or never.
    """
    found = [strength for strength in product.strengths if strength.ingredient == ingredient]
    told = len(found) == 1 and product.level != "pack" and product.route not in WITHOUT_DAILY_DOSE
    return found[0] if told else None


def ingredient_mg(amount: Quantity, strength: Strength, product: Product) -> float | None:
    """Milligrams of the ingredient in an amount of the product; None where that is not sure.

    Of a combination, milligrams could mean any part, and of a powder or gel the product's own
    weight, so there only counted units are read. A spray of a tablet is no dose, and of a patch
    only what it gives an hour is known.
    """
    if amount.value < 0 or product.route == "transdermal":
        return None
    if amount.unit in MG_PER:
        meant = len(product.strengths) == 1 and strength.unit in (None, *COUNTED_IN)
        return amount.value * MG_PER[amount.unit] if meant else None
    counted = COUNTED_IN.get(strength.unit or "", frozenset())
    if product.route == "parenteral":
        counted &= VOLUMES  # "1" of an injection may be a vial or a millilitre
    if strength.value is None or _word(amount) not in counted:
        return None
    return amount.value * strength.value


def worn_mcg_per_hour(amount: Quantity, strength: Strength) -> float | None:
    """Micrograms an hour from so many patches, or as stated; None in any other unit."""
    if amount.value < 0:
        return None
    if amount.unit in MCG_AN_HOUR_PER:
        return amount.value * MCG_AN_HOUR_PER[amount.unit]
    if strength.unit == WORN and strength.value is not None and _word(amount) in PATCHES:
        return amount.value * strength.value * MCG_AN_HOUR_PER["mg/h"]
    return None


def amount_mg(amount: Quantity, strength_mg: float | None) -> float | None:
    """A dose in milligrams; None for units of volume, or for pieces of unknown strength."""
    if amount.value < 0:
        return None
    if amount.unit in MG_PER:
        return amount.value * MG_PER[amount.unit]
    if strength_mg is not None and in_pieces(amount):
        return amount.value * strength_mg
    return None


def in_pieces(amount: Quantity) -> bool:
    """Whether an amount counts tablets, capsules, sprays and the like."""
    return _word(amount) in PIECES | SPRAYS


def in_volume(amount: Quantity) -> bool:
    """Whether an amount is in millilitres."""
    return _word(amount) in VOLUMES


def _word(amount: Quantity) -> str:
    """The unit in lower case, without the braces that mark a word in UCUM; empty for none."""
    return (amount.unit or "").strip("{}").lower()
