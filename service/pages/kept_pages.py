"""Pages that are the same for everybody, rendered once by each process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask import Response, current_app, request

from cards.library import Library
from service.house import house
from service.pages.cross_references import CrossReferences, cross_references
from service.pages.frame import keep, page

EXTENSION = "backpath.catalogue"


@dataclass
class KeptPages:
    """What one application has worked out for its catalogue so far.

    Attributes:
        bodies: address of a page → its HTML. Only pages that exist are kept, so it ends.
    """

    library: Library
    bodies: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def references(self) -> CrossReferences:
        """What names what in the content."""
        return cross_references(self.library)


def kept_pages() -> KeptPages:
    """Those of the running application."""
    kept: KeptPages = current_app.extensions.setdefault(EXTENSION, KeptPages(house().library))
    return kept


def once(template: str, shown: Callable[[], dict[str, Any]]) -> Response:
    """The page at this address, rendered if it was not yet.

    Args:
        shown: gives what the template shows; asked only where the page is rendered.
    """
    bodies, address = kept_pages().bodies, request.path.rstrip("/")
    body = bodies.get(address)
    if body is None:
        body = bodies[address] = page(template, **shown()).get_data()
    return keep(Response(body, content_type="text/html; charset=utf-8"))
