"""Findings recorded as results: coded as the finding itself, or as the answer to a question."""

from __future__ import annotations

from cards.case import Case
from cards.codes import LOINC, SNOMED
from cards.facts.entries import FINISHED, belongs, days_ago, newest_first
from cards.record import Observation

# Coded answers that say the finding is not there: absent, negative, no.
NOT_THERE = frozenset(
    {
        (SNOMED, "2667000"),
        (SNOMED, "260385009"),
        (SNOMED, "373067005"),
        (LOINC, "LA9634-2"),
        (LOINC, "LA32-8"),
    }
)


def findings(case: Case, *sets: str) -> tuple[Observation, ...]:
    """Finished observations that say something of the sets is present, newest first.

    A finding without an answer is present; one answered false, absent, negative or no is not.
    """
    found = case.record.observations_about(*sets)
    if not found:
        return ()
    return newest_first(
        observation
        for observation in found
        if observation.status in FINISHED
        and not _in_future(observation, case)
        and _says(observation, sets)
    )


def _in_future(observation: Observation, case: Case) -> bool:
    dated = observation.effective is not None
    return dated and days_ago(observation.effective, case.today) is None


def _says(observation: Observation, sets: tuple[str, ...]) -> bool:
    if belongs(observation.value_concept, *sets):
        return True
    answers = {(coding.system, coding.code) for coding in observation.value_concept.codings}
    denied = observation.value_flag is False or bool(answers & NOT_THERE)
    return belongs(observation.concept, *sets) and not denied
