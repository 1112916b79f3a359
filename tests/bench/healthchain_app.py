"""HealthChain with the least it can be asked to do: two constant cards on every hook."""

from __future__ import annotations

from typing import Any

from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import Card, CDSRequest, CDSResponse

from tests.bench.limit import CARD


def answer(request: CDSRequest) -> CDSResponse:
    """The constant, as HealthChain's own types."""
    return CDSResponse(cards=[Card(**CARD), Card(**CARD)])


def make_app() -> Any:
    """The application, with the service ids of the service under test."""
    service = CDSHooksService()
    for hook in ("patient-view", "order-select", "order-sign"):
        service.hook(hook, id=f"back-pain-{hook}")(answer)
    application = HealthChainAPI()
    application.register_service(service)
    return application


app = make_app()
