"""How long calls and their stages took, tallied in memory until a histogram is given them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Collection, Mapping
from itertools import product

from prometheus_client import CollectorRegistry, Histogram

HOOKS = ("patient-view", "order-select", "order-sign")
# Seconds. CDS Hooks asks for an answer within half a second; call-backs may take two.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# Hook and the value of the other label.
Pair = tuple[str, str]


class Durations:
    """The durations of one histogram, by hook and one label more.

    Prometheus' own way of noting one takes several microseconds, and a call has seven of them.
    Whoever calls sees to it that no two threads are in here.
    """

    def __init__(
        self,
        name: str,
        words: str,
        registry: CollectorRegistry,
        **labels: Collection[str],
    ) -> None:
        ((label, values),) = labels.items()
        histogram = _Histogram(name, words, ["hook", label], registry=registry, buckets=BUCKETS)
        self._children: Mapping[Pair, _Histogram] = {
            pair: histogram.labels(*pair) for pair in product(HOOKS, values)
        }
        self._sums: dict[Pair, float] = {}
        self._counts: Tally[tuple[Pair, int]] = Tally()

    def note(self, pair: Pair, seconds: float) -> None:
        """Tally one duration."""
        self._sums[pair] = self._sums.get(pair, 0.0) + seconds
        self._counts[pair, bisect_left(BUCKETS, seconds)] += 1

    def hand_over(self) -> None:
        """Give the histogram what was tallied since the last time."""
        sums, self._sums = self._sums, {}
        counts, self._counts = self._counts, Tally()
        for pair, seconds in sums.items():
            self._children[pair].add_seconds(seconds)
        for (pair, bucket), count in counts.items():
            self._children[pair].add_count(bucket, count)


class _Histogram(Histogram):
    """A histogram that takes many observations at once."""

    def add_seconds(self, seconds: float) -> None:
        """Add to the sum of all that was observed."""
        self._sum.inc(seconds)

    def add_count(self, bucket: int, count: int) -> None:
        """Count so many in one bucket; the last is for what is longer than all bounds."""
        self._buckets[bucket].inc(count)
