"""Why a line of an export was not used: fixed words, which hold nothing of what it said."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a line was rejected."""

    NOT_JSON = "not JSON"
    NOT_UTF8 = "not UTF-8"
    NOT_FHIR = "no FHIR resource"
    TOO_LONG = "longer than any real resource"
    BROKEN_FILE = "the file breaks off here"
    PATIENT_WITHOUT_ID = "a Patient without id"
    MEDICATION_WITHOUT_ID = "a Medication without id"
    NO_PATIENT = "is about no patient"
    UNKNOWN_PATIENT = "names a patient who is not in the export"
    PATIENT_AGAIN = "a Patient given again; the last one counts"
    TOO_MANY = "a Patient with more resources than a call may bring"
    NO_CONDITIONS = "a Patient who cannot be judged: the export has no Conditions"
    UNREADABLE_PATIENT = "a Patient who cannot be read"
    CANNOT_BE_HELD = "holds a number out of all range, or is nested too deep"
    UNDECODABLE = "a Patient who cannot be judged: a resource of theirs cannot be read"
