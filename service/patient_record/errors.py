"""Why no patient record could be read from a hook call."""

from __future__ import annotations


class PatientUnavailable(ValueError):
    """The prefetch holds no Patient that can be read (HTTP 412)."""


class WrongPatient(ValueError):
    """The prefetched Patient is not the patient of the hook's context (HTTP 400)."""
