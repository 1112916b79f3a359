"""What is sent is JSON that any client can read, whatever a text or a number is."""

from __future__ import annotations

import json
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ascii_json import ascii_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),  # halves of surrogate pairs too
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_it_reads_back_as_it_was_and_is_ascii(value: dict[str, Any]) -> None:
    """No text changes on its way, in no alphabet, and no number."""
    sent = ascii_json(value)

    assert sent.isascii()
    assert json.loads(sent) == value


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("3–4 weeks", rb"3\u20134 weeks"),
        ("naïve", rb"na\u00efve"),
        (r"back\slash \x41 – \U", rb"back\\slash \\x41 \u2013 \\U"),
        ("\U0001f9b4", rb"\ud83e\uddb4"),
        ('"\\\n\x00', rb"\"\\\n\u0000"),
    ],
)
def test_other_alphabets_are_escaped(text: str, sent: bytes) -> None:
    """As JSON escapes them, in pairs beyond the first plane."""
    assert ascii_json({"a": text}).replace(b" ", b"") == b'{"a":"%s"}' % sent.replace(b" ", b"")


@pytest.mark.parametrize("number", [nan, inf, -inf])
@pytest.mark.parametrize("beside", [None, "null", "é"])
def test_what_is_no_number_is_never_sent(number: float, beside: object) -> None:
    """An answer with a dose that is no number is no answer; it does not become an empty one."""
    with pytest.raises(ValueError, match="JSON"):
        ascii_json({"a": [{"dose": number}], "b": beside})
