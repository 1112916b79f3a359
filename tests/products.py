"""Products by their RxNorm codes, from the tables the service reads."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from cards.codes import RXNORM
from cards.drug_index import DrugIndex
from cards.product import Product
from cards.record import MedicationOrder
from cards.terminology_files import read_drugs


@cache
def drugs() -> DrugIndex:
    """The drugs Backpath knows, read once."""
    return read_drugs(Path("cards/terminology"))


def product(code: str) -> Product:
    """The product of an RxNorm code."""
    found = drugs().product(code)
    assert found is not None, code
    return found


def recognised(order: MedicationOrder) -> MedicationOrder:
    """The order with the product its first RxNorm code stands for."""
    codes = [coding.code for coding in order.drug.codings if coding.system == RXNORM]
    return replace(order, product=product(codes[0]))
