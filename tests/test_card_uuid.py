"""A card's uuid says which recommendation it was, and cannot be made up."""

from __future__ import annotations

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.library import Library
from service.card_uuid import (
    CHANCE_BITS,
    DIGEST_BITS,
    chance_uuids,
    make_card_uuid,
    read_card_uuid,
    tag,
    tags,
)

KEY = b"k" * 32
OTHER_KEY = b"o" * 32
NAMES = ("imaging-not-routine", "yoga")
KNOWN = tags(NAMES)
CHANCES = st.integers(0, 2**CHANCE_BITS - 1)


def test_every_recommendation_can_be_told_apart(library: Library) -> None:
    """No two recommendations, with or without a card of their own, share a number."""
    assert len(tags(library.recommendations)) == len(library.recommendations)


def test_two_that_could_not_be_told_apart_stop_the_start() -> None:
    """A new id whose number is taken is noticed before any card bears it."""
    numbers: dict[int, str] = {}
    for name in (f"recommendation-{number}" for number in range(100_000)):
        twin = numbers.setdefault(tag(name), name)
        if twin != name:
            break

    with pytest.raises(ValueError, match=f"{twin} and {name}"):
        tags([name, twin])


@given(st.sampled_from(NAMES), CHANCES)
def test_it_is_a_uuid_and_reads_back(name: str, chance: int) -> None:
    """Whatever chance adds, it is a well-formed version 8 uuid that names the recommendation."""
    text = make_card_uuid(name, KEY, chance)

    assert (UUID(text).version, UUID(text).variant) == (8, RFC_4122)
    assert read_card_uuid(text, [OTHER_KEY, KEY], KNOWN) == name
    assert read_card_uuid(f"urn:uuid:{text.upper()}", [KEY], KNOWN) == name


@given(st.lists(CHANCES, min_size=2, max_size=2, unique=True))
def test_every_bit_of_chance_is_in_it(chances: list[int]) -> None:
    """Two cards of one recommendation are two."""
    one, other = (make_card_uuid("yoga", KEY, chance) for chance in chances)

    assert one != other


@given(CHANCES, st.integers(0, 127))
def test_a_uuid_changed_anywhere_is_not_ours(chance: int, bit: int) -> None:
    """A forged uuid counts as a recommendation that is not known."""
    real = UUID(make_card_uuid("yoga", KEY, chance)).int
    forged = str(UUID(int=real ^ (1 << bit)))

    assert read_card_uuid(forged, [KEY], KNOWN) is None


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        ("6a921e20-2df6-4e52-b14d-5f34115fe45c", [KEY], "a uuid of chance alone"),
        (make_card_uuid("yoga", OTHER_KEY, 1), [KEY], "another service's card"),
        (make_card_uuid("yoga", KEY, 1), [], "no key is known"),
        (make_card_uuid("retired", KEY, 1), [KEY], "no longer a recommendation"),
        ("", [KEY], "nothing"),
        ("yoga", [KEY], "no uuid"),
        ("9" * 32, [KEY], "digits"),
        ("é" * 36, [KEY], "not even letters of a uuid"),
    ],
)
def test_what_is_not_ours_names_nothing(text: str, keys: list[bytes], words: str) -> None:
    """Feedback about other cards is kept without a recommendation."""
    assert read_card_uuid(text, keys, KNOWN) is None


def test_a_uuid_is_good_for_the_client_that_was_shown_the_card() -> None:
    """One hospital cannot speak about cards another was shown."""
    text = make_card_uuid("yoga", KEY, 1, "https://ehr.example.org")
    read_by = {
        client: read_card_uuid(text, [KEY], KNOWN, client)
        for client in ("https://ehr.example.org", "https://other.example.org", "", None)
    }

    assert read_by == {**dict.fromkeys(read_by), "https://ehr.example.org": "yoga"}


def test_guessing_is_not_worth_it() -> None:
    """Of many digests tried for one card none is right."""
    real = UUID(make_card_uuid("yoga", KEY, 7)).int
    tries = (str(UUID(int=real ^ guess)) for guess in range(1, 20_000))

    assert DIGEST_BITS == 32
    assert not any(read_card_uuid(text, [KEY], KNOWN) for text in tries)


def test_a_uuid_of_chance_is_a_well_formed_version_4() -> None:
    """A suggestion's uuid is none of a card, and no two are the same."""
    made = chance_uuids(100)

    assert {(str(UUID(text)) == text, UUID(text).version, UUID(text).variant) for text in made} == {
        (True, 4, RFC_4122)
    }
    assert len(set(made)) == 100
    assert {read_card_uuid(text, [KEY], KNOWN) for text in made} == {None}


def test_uuids_of_cards_given_out_stay_ours() -> None:
    """A card shown before an upgrade is known when its feedback comes after it."""
    client = "https://ehr.example.org"

    assert make_card_uuid("yoga", KEY, 1) == "ca314000-0000-8000-8000-0001a8cf6806"
    assert make_card_uuid("yoga", KEY, 2**70 - 1, client) == "ca314fff-ffff-8fff-bfff-ffff0ec6ace2"
