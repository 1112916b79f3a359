"""The patient record of a call, read as the service reads it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from cards.library import Library
from service.patient_record import Reading, coverage_of, read_patient_record
from service.prefetch import KEYS


def reading(request: Mapping[str, Any], day: date, library: Library) -> Reading:
    """What is read out of a request on a day."""
    prefetch = request.get("prefetch") or {}
    return read_patient_record(
        hook=request["hook"],
        context=request["context"],
        prefetch=prefetch,
        coverage=coverage_of(prefetch, KEYS),
        index=library.index,
        drugs=library.drugs,
        today=day,
    )
