"""Completing a prefetch: what is missing, failed in passing or unfinished is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from cards.record import Coverage
from service.call_size import MOST_RESOURCES, entries_in
from service.fhir_address import AddressRefused, FhirAddress, read_address
from service.fhir_answer import Outcome
from service.fhir_client import SEARCHED, Aside, FhirClient, Question, next_link
from service.patient_record import coverage_of
from service.patient_record.bundle import entries, kind_of, resource_of
from service.patient_record.elements import Resource, TooManyElements, number, objects, text
from service.patient_record.references import same_id
from service.prefetch import KEYS, queries_for, templates

# The issue types under "transient": the same question may find an answer a moment later.
# https://hl7.org/fhir/R4/valueset-issue-type.html
PASSING = frozenset(
    {"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"}
)
FETCHED = Outcome.FETCHED
ERRORS = frozenset({"error", "fatal"})


@dataclass(frozen=True, slots=True)
class Completed:
    """A prefetch after the call-backs.

    Attributes:
        prefetch: as if the client had sent all of it.
        callbacks: prefetch key → what came of asking for it; only keys that were asked for.
    """

    prefetch: Mapping[str, Any]
    callbacks: Mapping[str, Outcome] = field(default_factory=dict)


def complete(
    request: Mapping[str, Any],
    loinc_codes: Iterable[str],
    client: FhirClient,
    aside: Aside = nullcontext,
) -> Completed:
    """The prefetch of a call, with what the client's FHIR server adds to it.

    Whatever goes wrong leaves a key as it was sent; no answer is worse than without asking.

    Args:
        request: a checked hook call.
        loinc_codes: the observations any fact looks at, as in discovery.
        aside: entered while the FHIR server is waited for.
    """
    sent: Mapping[str, Any] = request.get("prefetch") or {}
    server = text(request.get("fhirServer"))
    lacking = _lacking(sent) if server and client.may_call else ()
    if not lacking:
        return Completed(sent)
    try:
        base = read_address(server)
        queries = queries_for(templates(loinc_codes), request["context"])
    except ValueError:
        return Completed(sent, dict.fromkeys(lacking, Outcome.REFUSED))
    asked = {key: _asked(key, sent.get(key), queries[key], base, client) for key in lacking}
    token = (request.get("fhirAuthorization") or {}).get("access_token")
    questions = [question for one in asked.values() for question in one.questions]
    client.put(base, token, questions, aside)
    callbacks = {key: _outcome(one.questions) for key, one in asked.items()}
    found = {key: value for key, one in asked.items() if (value := _joined(one))}
    if "patient" in found and not _is_of(found["patient"], request["context"]):
        # The server's mistake and not the client's: the patient of the context is just not there.
        del found["patient"]
        callbacks["patient"] = Outcome.OTHER_PATIENT
    return _within_bounds(sent, found, callbacks)


def _within_bounds(
    sent: Mapping[str, Any], found: Mapping[str, Any], callbacks: Mapping[str, Outcome]
) -> Completed:
    """What was sent, and what was found as far as a call may bring so much.

    A key that no longer fits stays as it was sent.
    """
    completed, outcomes = dict(sent), dict(callbacks)
    for key, value in found.items():
        with_it = {**completed, key: value}
        if entries_in(with_it) > MOST_RESOURCES:
            outcomes[key] = Outcome.TOO_LARGE
        else:
            completed = with_it
    return Completed(completed, outcomes)


def _is_of(patient: Resource, context: Mapping[str, Any]) -> bool:
    return same_id(text(patient.get("id")), text(context.get("patientId")))


def _lacking(sent: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys worth asking for. One the client says is empty is not; nor one that is garbled."""
    coverage = coverage_of(sent, KEYS)
    return tuple(
        key
        for key in KEYS
        if coverage[key] in {Coverage.MISSING, Coverage.UNFINISHED}
        or (coverage[key] is Coverage.FAILED and _failed_in_passing(sent[key]))
    )


def _failed_in_passing(value: Any) -> bool:
    """Whether the client's query failed for reasons that may be over by now, and only for those."""
    outcomes = [
        resource
        for resource in map(resource_of, entries(value))
        if kind_of(resource) == "OperationOutcome"
    ]
    try:
        issues = [
            issue
            for outcome in outcomes
            for issue in objects(outcome.get("issue"))
            if text(issue.get("severity")) in ERRORS
        ]
    except TooManyElements:
        return False
    return bool(issues) and all(text(issue.get("code")) in PASSING for issue in issues)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for one key, and the Bundle it goes on from; None when it starts anew."""

    questions: tuple[Question, ...]
    sent: Resource | None
    continues: bool = False


def _asked(
    key: str, sent: Any, queries: Sequence[str], base: FhirAddress, client: FhirClient
) -> _Asked:
    """The pages after those that were sent, where they can be reached; else the query anew."""
    kind = "Patient" if key == "patient" else "Bundle"
    bundle = sent if kind == kind_of(sent) == "Bundle" else None
    link = next_link(bundle) if bundle and not _failed_in_passing(bundle) else None
    if link:
        # A next page on another server is not called; this server may be asked for the first.
        with suppress(AddressRefused):
            page = replace(base, path=f"{base.path}/").linked(link)
            client.allowed.check(page)
            return _Asked((Question(page, kind),), bundle, continues=True)
    return _Asked(tuple(Question(base.query_of(query), kind) for query in queries), bundle)


def _outcome(questions: Sequence[Question]) -> Outcome:
    """The first thing that went wrong; fetched when nothing did."""
    outcomes = [question.outcome for question in questions if question.outcome is not FETCHED]
    return outcomes[0] if outcomes else FETCHED


def _joined(asked: _Asked) -> Resource | None:
    """The value of a key made of all that arrived; None when nothing new did.

    What arrived in part is joined with what was sent, and bears a next link: it counts, and what
    it lacks may exist.
    """
    pages = [page for question in asked.questions for page in tuple(question.pages)]
    if not pages or kind_of(pages[0]) != "Bundle":
        return pages[0] if pages else None
    finished = _outcome(asked.questions) is FETCHED
    if asked.sent is not None and (asked.continues or not finished):
        pages.insert(0, asked.sent)
    joined = {
        "resourceType": "Bundle",
        "type": SEARCHED,
        "entry": [entry for page in pages for entry in entries(page)],
    }
    if not finished:
        return {**joined, "link": [{"relation": "next"}]}
    firsts = pages[:1] if asked.continues else [one.pages[0] for one in asked.questions]
    totals = [number(page.get("total")) for page in firsts]
    told = [total for total in totals if total is not None]
    return {**joined, "total": sum(told)} if len(told) == len(totals) else joined
