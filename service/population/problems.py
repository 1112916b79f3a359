"""What ends a run over a population."""

from __future__ import annotations


class PopulationProblem(Exception):
    """A run cannot be made, or not go on; the message says why, without secrets or patients."""
