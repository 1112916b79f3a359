"""Where the pathway view would be: how to switch it on."""

from __future__ import annotations

from flask import Blueprint, Response

from service.house import house
from service.page_addresses import site_address
from service.pages.frame import guard, page
from service.pages.smart_problems import TROUBLES

smart_off = Blueprint("smart", __name__)
smart_off.after_request(guard)


@smart_off.get("/launch")
def tell() -> Response:
    """How to switch it on."""
    settings, trouble = house().settings, TROUBLES["off"]
    return page(
        "app_problem.html",
        trouble=trouble,
        base=site_address(settings),
        lacking={
            "BACKPATH_SMART_CLIENT_ID": settings.smart_client_id is None,
            "BACKPATH_FHIR_SERVERS": not settings.fhir_servers,
            "BACKPATH_PUBLIC_BASE_URL": settings.public_base_url is None,
        },
    )
