"""A hook call decoded flat says what it says as plain JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cards.advise import advise
from cards.library import Library
from service.call import read_call
from service.envelope import read_json
from service.errors import RequestRefused
from service.patient_record import Reading, coverage_of, read_patient_record
from service.patient_record.flat import ELEMENTS
from service.prefetch import KEYS
from tests.fixture_cards import Fixture, fixtures

READABLE = [fixture for fixture in fixtures() if "cards" in fixture.expected]


def reading(request: dict[str, Any], fixture: Fixture, library: Library) -> Reading:
    prefetch = request.get("prefetch") or {}
    return read_patient_record(
        hook=request["hook"],
        context=request["context"],
        prefetch=prefetch,
        coverage=coverage_of(prefetch, KEYS),
        index=library.index,
        drugs=library.drugs,
        today=fixture.as_of,
    )


def test_every_patient_is_read_alike_from_flat_and_from_plain_resources(library: Library) -> None:
    """What readers find in a resource decoded flat is what they find in its JSON."""
    for fixture in READABLE:
        body = json.dumps(fixture.request).encode()
        flat = reading(read_call(body), fixture, library)
        plain = reading(read_json(body), fixture, library)

        assert plain.record == flat.record, fixture.name
        assert plain.dropped == flat.dropped, fixture.name


def test_what_is_left_unread_is_of_no_concern(library: Library) -> None:
    """Leaving out what is coded in no value set changes no card, no state, and no verdict."""
    everything = replace(library.index, complete=False)
    for fixture in READABLE:
        body = json.dumps(fixture.request).encode()
        sifted = reading(read_call(body), fixture, library).record
        whole = reading(read_call(body), fixture, replace(library, index=everything)).record

        told, expected = (advise(r, fixture.as_of, library) for r in (sifted, whole))
        assert expected.cards == told.cards, fixture.name
        assert expected.places == told.places, fixture.name
        assert [(v.id, v.outcome) for v in expected.verdicts] == [
            (v.id, v.outcome) for v in told.verdicts
        ], fixture.name


CONTAINED = """
{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Procedure", "id": "p",
 "status": "completed", "performedDateTime": "2026-06-01", "code": {"text": "a visit at home"},
 "reasonReference": [{"reference": "#pain"}], "contained": [{"resourceType": "Condition",
 "id": "pain", "subject": {"reference": "Patient/p1"}, "code": {"coding": [
 {"system": "http://snomed.info/sct", "code": "279039007"}]}}]}}]}
"""


def test_care_for_a_pain_it_brings_along_is_read(library: Library) -> None:
    """Care coded in no value set, for back pain told inside the very resource, is still seen."""
    patient = '{"resourceType": "Patient", "id": "p1"}'
    body = (
        '{"hook": "patient-view", "hookInstance": "h", "context": {"userId": "u", "patientId":'
        f' "p1"}}, "prefetch": {{"patient": {patient}, "procedures": {CONTAINED}}}}}'
    ).encode()
    (procedure,) = reading(read_call(body), READABLE[0], library).record.procedures

    assert ["back-pain-any" in reason.sets for reason in procedure.reasons] == [True]


class Asked(dict[str, Any]):
    """A resource that notes which of its elements are asked for."""

    names: set[str] = set()  # noqa: RUF012 one note for all of them

    def get(self, name: str, default: Any = None) -> Any:
        """The element, its name noted."""
        self.names.add(name)
        return super().get(name, default)


def test_every_element_a_reader_asks_for_is_decoded(library: Library) -> None:
    """An element left out of the flat form would be silently absent from every chart."""
    for fixture in READABLE:
        request = json.loads(json.dumps(fixture.request))
        for bundle in (request.get("prefetch") or {}).values():
            for entry in (bundle or {}).get("entry") or ():
                if isinstance(entry.get("resource"), dict):
                    entry["resource"] = Asked(entry["resource"])
        reading(request, fixture, library)

    assert Asked.names <= {*ELEMENTS, "resourceType", "entry"}


ODD = [
    ("an entry that is null", '{"resourceType": "Bundle", "entry": [null]}'),
    ("an entry that is a number", '{"resourceType": "Bundle", "entry": [7]}'),
    ("a resource that is a list", '{"resourceType": "Bundle", "entry": [{"resource": [1]}]}'),
    ("one entry in place of a list", '{"resourceType": "Bundle", "entry": {"resource": {}}}'),
    ("a bundle that is a text", '"none"'),
    ("a bundle that is a list", "[]"),
    ("a type that is a list", '{"resourceType": ["Bundle"], "entry": []}'),
    ("a lone resource", '{"resourceType": "Condition", "id": "c1"}'),
    ("a Bundle in a Bundle", '{"entry": [{"resource": {"resourceType": "Bundle", "id": "b"}}]}'),
]


@pytest.mark.parametrize(("words", "sent"), ODD, ids=[words for words, _ in ODD])
def test_odd_shapes_are_read_alike(words: str, sent: str, library: Library) -> None:
    """Whatever stands where a Bundle is wanted, both forms are covered and read alike."""
    patient = '{"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"}'
    body = (
        '{"hook": "patient-view", "hookInstance": "h", "context": {"userId": "u", "patientId":'
        f' "p1"}}, "prefetch": {{"patient": {patient}, "conditions": {sent}}}}}'
    ).encode()
    fixture = READABLE[0]
    flat, plain = read_call(body), read_json(body)

    assert coverage_of(plain["prefetch"], KEYS) == coverage_of(flat["prefetch"], KEYS)
    assert reading(plain, fixture, library) == reading(flat, fixture, library)


BROKEN = [
    b"",
    b"[]",
    b'{"hook": "patient-view"',
    b'{"hook": NaN}',
    b'{"hook": "a", "context": {"userId": 1, "userId": 2}}',
    b'{"context": {"x": "\\ud800"}}',
    b'{"prefetch": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"prefetch": {"conditions": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_002,
    b'{"prefetch": {"conditions": {"id": "\xff"}}}',
    b'{"prefetch": {"conditions": {"total": 1e999}}}',
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_body_is_refused_in_the_same_words(body: bytes) -> None:
    """What cannot be decoded is refused as any other JSON is, with the place where it breaks."""
    with pytest.raises(RequestRefused) as strictly:
        read_json(body)
    with pytest.raises(RequestRefused) as refused:
        read_call(body)

    assert strictly.value.problems == refused.value.problems
