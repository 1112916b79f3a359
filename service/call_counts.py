"""What one answered call adds to the counts."""

from __future__ import annotations

from service.hooks import Answered
from service.metrics import Metrics


def count_call(answered: Answered, metrics: Metrics) -> None:
    """Count a call's cards, verdicts, data and failures."""
    judgement, cards = answered.judgement, answered.response["cards"]
    metrics.count(
        verdicts=[(verdict.id, verdict.outcome) for verdict in judgement.advice.verdicts],
        prefetch=judgement.prefetch.items(),
        callbacks=judgement.callbacks.items(),
        rule_failures=[(name,) for name in judgement.advice.errors],
        cards=[(card["source"]["topic"]["code"], card["indicator"]) for card in cards],
        calls_without_cards=[] if cards else [(answered.request["hook"],)],
    )
