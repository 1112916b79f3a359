"""Record text on a card: cut where it is too long, and never the strength of a drug."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cards.markdown import with_strengths

LONG = "extended release oral capsule with abuse deterrent, as relabelled by the outside pharmacy"


@pytest.mark.parametrize(
    ("name", "longest", "told"),
    [
        (
            "oxycodone hydrochloride 5 MG Oral Tablet",
            80,
            "oxycodone hydrochloride 5 MG Oral Tablet",
        ),
        ("oxycodone hydrochloride 5 MG Oral Tablet", 30, "oxycodone hydrochloride 5 MG…"),
        ("oxycodone hydrochloride 5 MG Oral Tablet", 20, "oxycodone hyd… 5 MG…"),
        (
            "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet",
            48,
            "acetaminophen 325 MG / oxycodone hyd… 5 MG Oral…",
        ),
        ("buprenorphine 0.005 MG/HR Transdermal System", 30, "buprenorphine 0.005 MG/HR Tra…"),
        ("a name without any number", 10, "a name wi…"),
        ("5 MG 5 MG 5 MG 5 MG 5 MG", 10, "5 MG 5 MG…"),
    ],
)
def test_a_strength_is_never_cut(name: str, longest: int, told: str) -> None:
    """The form goes first, then the drug's name; a name that cannot be cut so, at its end."""
    assert with_strengths(name, longest) == told
    assert len(with_strengths(name, longest)) <= longest


@pytest.mark.parametrize(
    "name",
    [
        f"hydrocodone bitartrate 20 MG {LONG}",
        f"acetaminophen 325 MG / oxycodone hydrochloride 10 MG {LONG}",
        f"acetaminophen 21.7 MG/ML / hydrocodone bitartrate 0.5 MG/ML {LONG}",
        f"the drug {LONG} of all of {LONG} 7.5 mg",
    ],
)
def test_whatever_the_length_the_strengths_show(name: str) -> None:
    """A combination shows each of its strengths in 80 characters."""
    told = with_strengths(name)
    strengths = [f"{a} {b}" for a, b in pairwise(name.split()) if a[0].isdigit()]

    assert strengths
    assert all(strength in told for strength in strengths)
    assert len(told) <= 80
