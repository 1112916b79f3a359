"""The limit: what the least any service has to do costs, reading the whole body as JSON.

A bare WSGI function, ``orjson`` and two constant cards. It checks nothing and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson

CARD = {
    "summary": "Consider exercise before anything else",
    "indicator": "info",
    "detail": "A card of the usual length says what to consider, for whom, and on what evidence. "
    * 8,
    "source": {"label": "The same for everybody"},
}
ANSWER = orjson.dumps({"cards": [CARD, CARD]})
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))]


def app(
    environment: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """Read the body, answer the constant."""
    if environment["REQUEST_METHOD"] == "POST":
        orjson.loads(environment["wsgi.input"].read())
    start_response("200 OK", HEADERS)
    return [ANSWER]
