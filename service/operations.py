"""The routes of whoever runs the service."""

from __future__ import annotations

from flask import Blueprint, Response

from service.body import as_json
from service.errors import unavailable
from service.house import house
from service.metrics import CONTENT_TYPE
from service.store_errors import StoreUnavailable

OPEN_TO_ALL = "Anybody who reaches this address can call it: BACKPATH_AUTH is off."

operations = Blueprint("operations", __name__)


@operations.get("/health")
def health() -> Response:
    """The process is alive."""
    return as_json({"status": "alive"})


@operations.get("/ready")
def ready() -> Response:
    """The content is loaded and feedback can be kept."""
    shared = house()
    try:
        shared.store.check()
    except StoreUnavailable:
        raise unavailable("The feedback store cannot be reached.") from None
    return as_json(
        {
            "status": "ready",
            "contentVersion": shared.library.content_version,
            "recommendations": len(shared.library.recommendations),
            "auth": shared.settings.auth,
            **({"warning": OPEN_TO_ALL} if shared.trust is None else {}),
        }
    )


@operations.get("/metrics")
def metrics() -> Response:
    """Counts and times for Prometheus: no patient data, and for the inside of the network only."""
    return Response(house().metrics.exposition(), content_type=CONTENT_TYPE)
