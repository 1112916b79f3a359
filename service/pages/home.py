"""The start page: what this is, how it is, and how to connect to it."""

from __future__ import annotations

from flask import Blueprint, Response

from service.hooks import CDS_HOOKS_VERSION, SERVICES
from service.house import house
from service.page_addresses import site_address
from service.pages.frame import page
from service.store_errors import StoreUnavailable

home = Blueprint("home", __name__)


@home.get("/")
def start() -> Response:
    """What this service is, and where to go from here."""
    shared = house()
    base = site_address(shared.settings) or ""
    return page(
        "home.html",
        discovery_url=f"{base}/cds-services",
        services=SERVICES.values(),
        version=CDS_HOOKS_VERSION,
        auth=shared.settings.auth,
        store_ready=_store_ready(),
        pathways=shared.library.pathways,
        sources=len(shared.library.sources),
        recommendations=len(shared.library.recommendations),
    )


def _store_ready() -> bool:
    try:
        house().store.check()
    except StoreUnavailable:
        return False
    return True
