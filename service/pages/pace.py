"""How fast calls are answered, and with what, since the service was started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import inf

from prometheus_client.samples import Sample

from service.durations import BUCKETS, HOOKS
from service.metrics import STAGES

CALLS_ROUTE = "/cds-services/<service_id>"
# What the histogram can tell apart.
SHORTEST_MS, LONGEST_MS = 1000 * BUCKETS[0], 1000 * BUCKETS[-1]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long some calls took, or one of their stages.

    Attributes:
        name: of the hook or the stage.
        calls: how many were timed.
        mean: milliseconds; None when none was timed.
        p50, p90, p99: milliseconds that so many in a hundred stayed within, estimated between the
            bounds of the histogram; infinite beyond its last one, None when none was timed.
    """

    name: str
    calls: int
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Pace:
    """What all processes have answered since the service was started.

    Attributes:
        hooks: answered calls by hook.
        stages: stages of all calls, answered or refused.
        answered, refused: calls.
        unavailable: calls answered with 503, for want of a place or after a failure inside.
        cards: given out.
        without_cards: answered calls that got no card.
    """

    hooks: tuple[Timing, ...]
    stages: tuple[Timing, ...]
    answered: int
    refused: int
    unavailable: int
    cards: int
    without_cards: int

    @property
    def cards_per_hundred(self) -> float | None:
        """Cards in a hundred answered calls; None before the first."""
        return 100 * self.cards / self.answered if self.answered else None

    @property
    def without_share(self) -> float | None:
        """The part of the answered calls that got no card, 0 to 1; None before the first."""
        return self.without_cards / self.answered if self.answered else None


def read_pace(samples: Iterable[Sample]) -> Pace:
    """The pace that the metrics tell of."""
    kept = [sample for sample in samples if sample.name.startswith("backpath_")]

    def total(name: str, **labels: str) -> int:
        return int(_sum(kept, f"backpath_{name}", labels))

    return Pace(
        hooks=tuple(
            _timing(hook, kept, "backpath_hook_seconds", {"hook": hook, "result": "answered"})
            for hook in HOOKS
        ),
        stages=tuple(
            _timing(stage, kept, "backpath_stage_seconds", {"stage": stage}) for stage in STAGES
        ),
        answered=total("hook_seconds_count", result="answered"),
        refused=total("hook_seconds_count", result="refused"),
        unavailable=total(
            "requests_total", route=CALLS_ROUTE, status=str(int(HTTPStatus.SERVICE_UNAVAILABLE))
        ),
        cards=total("cards_total"),
        without_cards=total("calls_without_cards_total"),
    )


def _sum(samples: Iterable[Sample], name: str, labels: Mapping[str, str]) -> float:
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def _timing(name: str, samples: Iterable[Sample], metric: str, labels: Mapping[str, str]) -> Timing:
    own = [s for s in samples if s.name.startswith(metric) and labels.items() <= s.labels.items()]
    calls = int(_sum(own, f"{metric}_count", {}))
    within: Counter[float] = Counter()
    for sample in own:
        if sample.name == f"{metric}_bucket":
            within[float(sample.labels["le"])] += int(sample.value)
    p50, p90, p99 = (_milliseconds(quantile(part, within)) for part in (0.5, 0.9, 0.99))
    mean = _milliseconds(_sum(own, f"{metric}_sum", {}) / calls) if calls else None
    return Timing(name, calls, mean, p50, p90, p99)


def quantile(part: float, within: Mapping[float, int]) -> float | None:
    """The seconds that a part of all durations stayed within, as Prometheus estimates it.

    Durations are taken to lie evenly between two bounds.

    Args:
        part: 0 to 1.
        within: bound in seconds → how many stayed within it; the last bound is infinite.

    Returns:
        None when there is no duration, infinity beyond the last bound that is a number.

    Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    wanted = part * within.get(inf, 0)
    lower, before = 0.0, 0
    for bound, count in sorted(within.items()):
        if 0 < wanted <= count:
            share = (wanted - before) / (count - before)
            return inf if bound == inf else lower + share * (bound - lower)
        lower, before = bound, count
    return None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
