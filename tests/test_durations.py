"""A duration tallied in memory is one that the histogram would have counted itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from service.durations import BUCKETS, HOOKS, Durations

# The bounds themselves, beside them, and beyond the last.
SECONDS = st.sampled_from(BUCKETS) | st.floats(0, 20)
NOTED = st.tuples(st.sampled_from(HOOKS), st.sampled_from(["a", "b"]), SECONDS)


def _lines(registry: CollectorRegistry) -> list[str]:
    """What is counted, without the sums: floats added in another order."""
    text = generate_latest(registry).decode()
    return [line for line in text.splitlines() if "_sum" not in line and "_created" not in line]


@given(st.lists(NOTED), st.lists(NOTED))
def test_they_add_up_as_one_by_one(
    first: list[tuple[str, str, float]], second: list[tuple[str, str, float]]
) -> None:
    """Handed over in two goes, they stand in the same buckets as if each had been noted there."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    durations = Durations("seconds", "Time.", ours, stage=("a", "b"))
    histogram = Histogram("seconds", "Time.", ["hook", "stage"], registry=theirs, buckets=BUCKETS)
    for hook in HOOKS:
        for stage in ("a", "b"):
            histogram.labels(hook, stage)
    for noted in (first, second):
        for hook, stage, seconds in noted:
            durations.note((hook, stage), seconds)
            histogram.labels(hook, stage).observe(seconds)
        durations.hand_over()

    assert _lines(ours) == _lines(theirs)


def test_the_sum_is_that_of_all() -> None:
    """How long the calls took altogether, for an average."""
    registry = CollectorRegistry()
    durations = Durations("seconds", "Time.", registry, stage=("read",))
    for _ in range(2):
        durations.note(("order-sign", "read"), 0.25)
        durations.note(("order-sign", "read"), 12.0)
        durations.hand_over()
    labels = {"hook": "order-sign", "stage": "read"}

    assert registry.get_sample_value("seconds_sum", labels) == 24.5
    assert registry.get_sample_value("seconds_count", labels) == 4
