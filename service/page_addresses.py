"""Where the pages of this service are found, from outside."""

from __future__ import annotations

import re

from flask import request

from service.settings import Settings

# A host as browsers write it; whatever else a client calls us by is repeated to nobody.
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def recommendation_pages(settings: Settings) -> str | None:
    """The absolute address below which each recommendation has its page.

    Returns:
        Without a slash at its end; None where no pages are served, or nobody said what we are
        called.
    """
    if settings.pages_served == "off":
        return None
    base = site_address(settings)
    return f"{base}/recommendations" if base else None


def launch_page(settings: Settings) -> str | None:
    """The absolute address where health records launch the pathway view.

    Returns:
        None where it is not switched on, or nobody said what we are called.
    """
    base = site_address(settings) if settings.smart_served else None
    return f"{base}/launch" if base else None


def site_address(settings: Settings) -> str | None:
    """The address this service is called by, without a slash at its end; None if nobody said."""
    return settings.public_base_url or _asked_for()


def _asked_for() -> str | None:
    """The address this call was sent to."""
    host = request.host
    return f"{request.scheme}://{host}{request.root_path}" if _HOST.fullmatch(host) else None
