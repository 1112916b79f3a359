"""What is measured: how hard the servers are asked, and what each round of it gave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setup:
    """How hard the servers are asked: workers of each, and connections kept busy."""

    workers: int
    connections: int

    @property
    def words(self) -> str:
        """As it stands in tables."""
        return f"{_counted(self.workers, 'worker')}, {_counted(self.connections, 'connection')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


SETUPS = (Setup(1, 1), Setup(2, 8))


@dataclass(frozen=True, slots=True)
class Measure:
    """What one round gave; memory is that of the largest process, in millions of bytes."""

    p50_ms: float
    p99_ms: float
    per_second: float
    cpu_ms: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Round:
    """One measure, and what it is of."""

    setup: Setup
    size: int
    contender: str
    number: int
    measure: Measure
