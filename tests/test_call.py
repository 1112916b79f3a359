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
from service.hooks import answer
from service.patient_record import coverage_of
from service.patient_record.flat import ELEMENTS
from service.prefetch import KEYS
from tests.fixture_cards import fixtures
from tests.reading import reading

READABLE = [fixture for fixture in fixtures() if "cards" in fixture.expected]


def test_every_patient_is_read_alike_from_flat_and_from_plain_resources(library: Library) -> None:
    """What readers find in a resource decoded flat is what they find in its JSON."""
    for fixture in READABLE:
        body = json.dumps(fixture.request).encode()
        flat = reading(read_call(body), fixture.as_of, library)
        plain = reading(read_json(body), fixture.as_of, library)

        assert plain.record == flat.record, fixture.name
        assert plain.dropped == flat.dropped, fixture.name


def test_what_is_left_unread_is_of_no_concern(library: Library) -> None:
    """Leaving out what is coded in no value set changes no card, no state, and no verdict."""
    everything = replace(library.index, complete=False)
    for fixture in READABLE:
        body = json.dumps(fixture.request).encode()
        sifted = reading(read_call(body), fixture.as_of, library).record
        whole = reading(read_call(body), fixture.as_of, replace(library, index=everything)).record

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
    (procedure,) = reading(read_call(body), READABLE[0].as_of, library).record.procedures

    assert ["back-pain-any" in reason.sets for reason in procedure.reasons] == [True]


class Asked(dict[str, Any]):
    """A resource that notes which of its elements are asked for."""

    names: set[tuple[str, str]] = set()  # noqa: RUF012 one note for all of them

    def get(self, name: str, default: Any = None) -> Any:
        """The element, its name noted with the type of the resource."""
        self.names.add((self["resourceType"], name))
        return super().get(name, default)


def test_every_element_a_reader_asks_for_is_decoded(library: Library) -> None:
    """An element left out of the flat form of its type would be silently absent from charts."""
    everything = replace(library.index, complete=False)
    for fixture in READABLE:
        request = json.loads(json.dumps(fixture.request))
        for bundle in (request.get("prefetch") or {}).values():
            for entry in (bundle or {}).get("entry") or ():
                if isinstance(entry.get("resource"), dict):
                    entry["resource"] = Asked(entry["resource"])
        reading(request, fixture.as_of, library)
        reading(request, fixture.as_of, replace(library, index=everything))

    decoded = {(kind, name) for kind, names in ELEMENTS.items() for name in names}
    asked = {(kind, name) for kind, name in Asked.names if name != "resourceType"}
    assert len({kind for kind, _ in asked}) > 8
    assert asked <= decoded


def called_with(**searches: str) -> bytes:
    """A call on patient-view made in visit v1, with these answers to its searches."""
    context = {"userId": "u", "patientId": "p1", "encounterId": "v1"}
    sent = {"hook": "patient-view", "hookInstance": "h", "context": context}
    patient = '{"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"}'
    prefetch = ", ".join(f'"{key}": {value}' for key, value in searches.items())
    return f'{json.dumps(sent)[:-1]}, "prefetch": {{"patient": {patient}, {prefetch}}}}}'.encode()


def bundled(*resources: str) -> str:
    """A Bundle of resources, each as the client spelled it."""
    entries = ", ".join(f'{{"resource": {resource}}}' for resource in resources)
    return f'{{"resourceType": "Bundle", "entry": [{entries}]}}'


COUGH = '"code": {"coding": [{"system": "http://snomed.info/sct", "code": "49727002"}]}'
CANCER = '"code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C34.1"}]}'
VISIT = '{"resourceType": "Encounter", "id": "%s", "status": "finished", "class": {"code": "%s"}%s}'


def test_a_resource_sent_twice_is_read_once_however_it_is_spelled(library: Library) -> None:
    """Spacing and order of members make no second order of the one the chart holds."""
    order = '{"resourceType": "MedicationRequest", "id": "m", "status": "active", %s}'
    told = (
        '"medicationCodeableConcept": {"text": "x"}',
        '"medicationCodeableConcept":{"text":"x"}',
    )
    body = called_with(medications=bundled(*(order % words for words in told)))
    other = called_with(medications=bundled(order % told[0], order % told[0].replace("x", "y")))

    assert 1 == len(reading(read_call(body), READABLE[0].as_of, library).record.medications)
    assert 2 == len(reading(read_call(other), READABLE[0].as_of, library).record.medications)


VISITS = [
    ("a check-up years ago", VISIT % ("v9", "AMB", ""), 0),
    ("the visit of this call", VISIT % ("v1", "AMB", ""), 1),
    ("the visit a cancer was recorded in", VISIT % ("v2", "AMB", ""), 1),
    ("a stay in hospital", VISIT % ("v9", "imp", ""), 1),
    ("a visit for some reason", VISIT % ("v9", "AMB", ', "reasonCode": [{"text": "cough"}]'), 1),
    ("a diagnosis", VISIT % ("v9", "AMB", ', "diagnosis": [{"condition": {"display": "x"}}]'), 1),
    ("somebody else's", VISIT % ("v9", "AMB", ', "subject": {"reference": "Patient/p2"}'), 0),
]


@pytest.mark.parametrize(("words", "visit", "count"), VISITS, ids=[words for words, *_ in VISITS])
def test_visits_are_read_where_a_fact_can_see_them(
    words: str, visit: str, count: int, library: Library
) -> None:
    """A visit counts by its reasons and type, in hospital, or where something names it."""
    seen = (
        '{"resourceType": "Condition", "id": "%s", "encounter": {"reference": "Encounter/%s"}, %s}'
    )
    conditions = bundled(seen % ("t", "v2", CANCER), seen % ("c", "v9", COUGH))
    body = called_with(encounters=bundled(visit), conditions=conditions)
    for request in (read_call(body), read_json(body)):
        assert count == len(reading(request, READABLE[0].as_of, library).record.encounters)


def test_an_element_is_decoded_once_however_often_it_is_asked_for() -> None:
    """A thousand references to one long contained resource do not read it a thousand times."""
    body = called_with(procedures=CONTAINED)
    (entry,) = read_call(body)["prefetch"]["procedures"].get("entry")

    assert entry.resource.get("contained") is entry.resource.get("contained")


def test_a_number_beyond_all_range_is_refused_where_it_is_read(library: Library) -> None:
    """What is decoded late is refused as if it had been decoded at once."""
    fever = '"code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}'
    result = f'{{"resourceType": "Observation", "id": "o", "status": "final", {fever}, %s}}'
    conditions = bundled()
    hot = bundled(result % '"valueQuantity": {"value": 1e999}')
    body = called_with(conditions=conditions, observations=hot)

    with pytest.raises(RequestRefused) as strictly:
        read_json(body)
    with pytest.raises(RequestRefused) as refused:
        answer(body, "back-pain-patient-view", library, READABLE[0].as_of)

    assert strictly.value.problems == refused.value.problems


ODD = [
    ("an entry that is null", '{"resourceType": "Bundle", "entry": [null]}'),
    ("an entry that is a number", '{"resourceType": "Bundle", "entry": [7]}'),
    ("a resource that is a list", '{"resourceType": "Bundle", "entry": [{"resource": [1]}]}'),
    ("one entry in place of a list", '{"resourceType": "Bundle", "entry": {"resource": {}}}'),
    ("a bundle that is a text", '"none"'),
    ("a bundle that is a list", "[]"),
    ("a type that is a list", '{"resourceType": ["Bundle"], "entry": []}'),
    ("a lone resource", '{"resourceType": "Condition", "id": "c1"}'),
    ("a type nobody reads", '{"entry": [{"resource": {"resourceType": "Slot", "id": "s"}}]}'),
    ("a type with blanks", '{"entry": [{"resource": {"resourceType": " Condition ", "id": "c"}}]}'),
    ("no type at all", '{"resourceType": "Bundle", "entry": [{"resource": {"id": "c"}}]}'),
    (
        "a type behind all else",
        '{"entry": [{"resource": {"id": "c", "resourceType": "Condition"}}]}',
    ),
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
    assert reading(plain, fixture.as_of, library) == reading(flat, fixture.as_of, library)


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


@pytest.mark.parametrize("kind", ["Procedure", "Encounter", "Parameters", "Practitioner"])
def test_what_is_in_a_wrongly_named_bundle_counts(library: Library, kind: str) -> None:
    """A container that calls itself something else hides no entry from the cards."""
    cancer = '{"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}, %s}'
    searched = bundled(cancer % CANCER).replace('"Bundle"', f'"{kind}"')
    request = read_call(called_with(conditions=searched))

    record = reading(request, READABLE[0].as_of, library).record

    assert [condition.concept.codings[0].code for condition in record.conditions] == ["C34.1"]
