"""What is counted and timed, for Prometheus: of calls, cards, verdicts, data and failures.

Label values are words of ours only, never a client's. Several processes add up, each in files of
its own under ``PROMETHEUS_MULTIPROC_DIR``; the library reads that variable when it is imported.
"""

from __future__ import annotations

import logging
import os
from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from threading import Event, Lock, Thread

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from cards.library import Library
from service.durations import Durations
from service.gate import Gate
from service.log import log_event

CONTENT_TYPE = CONTENT_TYPE_LATEST
STAGES = ("receive", "wait", "read", "complete", "judge", "respond")
RESULTS = ("answered", "refused")
OTHER = "other"
HAND_OVER_SECONDS = 1.0

# The values of a counter's labels.
Labels = tuple[str, ...]


class Metrics:
    """Counters and histograms of one application.

    A call's many small counts and times are tallied in memory and handed over to Prometheus' own
    when these are read, and once a second where several processes share them: a hundred verdicts
    then cost a call no more than a few microseconds.
    """

    def __init__(self, library: Library, gate: Gate) -> None:
        self.registry = CollectorRegistry()
        self._gate = gate
        self._lock = Lock()
        self._tallies = _no_tallies()
        self._counters = {
            name: Counter(f"backpath_{name}", words, labels, registry=self.registry)
            for name, (words, labels) in COUNTERS.items()
        }
        self._children: dict[tuple[str, Labels], Counter] = {}
        self._hook_seconds = Durations(
            "backpath_hook_seconds",
            "Time from a call's arrival to its answer.",
            self.registry,
            result=RESULTS,
        )
        self._stage_seconds = Durations(
            "backpath_stage_seconds", "Time of one stage of a call.", self.registry, stage=STAGES
        )
        self._gauges = {
            "running": self._gauge("calls_running", "Calls being answered."),
            "waiting": self._gauge("calls_waiting", "Calls being received or waiting."),
        }
        for name in library.recommendations:
            self._child("rule_failures", (name,))  # a failure is then seen as a step from nought
        content = Gauge(
            "backpath_content_info",
            "1, with the version of the clinical content.",
            ["version"],
            registry=self.registry,
            multiprocess_mode="max",
        )
        content.labels(library.content_version).set(1)

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"backpath_{name}", words, registry=self.registry, multiprocess_mode="livesum")

    def count(self, **labels: Iterable[Labels]) -> None:
        """Count one for each entry; a counter is named as in ``COUNTERS``, an entry its labels."""
        with self._lock:
            for name, entries in labels.items():
                if entries:
                    self._tallies[name].update(entries)

    def time_call(
        self, hook: str, took: float, stages: Mapping[str, float], *, answered: bool
    ) -> None:
        """Note how long a call took, whole and by the stages it came to; all in seconds."""
        with self._lock:
            self._hook_seconds.note((hook, RESULTS[not answered]), took)
            for stage, its in stages.items():
                self._stage_seconds.note((hook, stage), its)

    def hand_over(self) -> None:
        """Give Prometheus' counters what was tallied since the last time."""
        with self._lock:
            tallies, self._tallies = self._tallies, _no_tallies()
            self._hook_seconds.hand_over()
            self._stage_seconds.hand_over()
        for name, tally in tallies.items():
            for labels, count in tally.items():
                self._child(name, labels).inc(count)
        self._gauges["running"].set(self._gate.running)
        self._gauges["waiting"].set(self._gate.waiting)

    def hand_over_steadily(self) -> None:
        """Hand over once a second for as long as the process lives; for processes that share."""
        never = Event()

        def keep_on() -> None:
            while not never.wait(HAND_OVER_SECONDS):
                try:
                    self.hand_over()
                except OSError as problem:  # no room for a file; the calls go on
                    log_event(logging.ERROR, "not counted", {"kind": type(problem).__name__})

        Thread(target=keep_on, name="metrics", daemon=True).start()

    def _child(self, name: str, labels: Labels) -> Counter:
        child = self._children.get((name, labels))
        if child is None:
            child = self._children[name, labels] = self._counters[name].labels(*labels)
        return child

    def exposition(self) -> bytes:
        """Everything counted so far by all processes, in Prometheus' text format."""
        return generate_latest(self._everybody())

    def samples(self) -> tuple[Sample, ...]:
        """Every number of the exposition, for those who reckon with them here."""
        return tuple(sample for family in self._everybody().collect() for sample in family.samples)

    def _everybody(self) -> CollectorRegistry:
        """What all processes have counted up to now."""
        self.hand_over()
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return self.registry
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return everybody


COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "requests": ("Requests answered, by address and status.", ("route", "status")),
    "cards": ("Cards shown.", ("recommendation", "indicator")),
    "calls_without_cards": ("Calls answered with no card.", ("hook",)),
    "verdicts": (
        (
            "What became of each recommendation judged: shown, merged, row, text, or why it was "
            "withheld: withheld (not met), unknown, suppressed, capped, failed."
        ),
        ("recommendation", "outcome"),
    ),
    "prefetch": (
        "Prefetch keys as they stood when judged: read, empty, missing, failed, unfinished.",
        ("key", "state"),
    ),
    "callbacks": ("Call-backs to FHIR servers, by what came of them.", ("key", "outcome")),
    "auth_failures": ("Requests refused with 401, by reason.", ("code",)),
    "unshared_tokens": (
        "Tokens accepted while the store was down: no other process knows they were used.",
        ("store",),
    ),
    "rule_failures": ("Recommendations that failed inside.", ("recommendation",)),
    "feedback": ("Feedback entries kept.", ("outcome",)),
}


def _no_tallies() -> dict[str, Tally[Labels]]:
    return {name: Tally() for name in COUNTERS}
