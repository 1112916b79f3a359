"""Full validation: every prefetched resource made a ``fhir.resources`` model, nothing judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from fhir.resources.R4B import get_fhir_model_class

from tests.bench.limit import ANSWER, HEADERS


def app(
    environment: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """Read the body, validate the whole prefetch, answer the constant."""
    if environment["REQUEST_METHOD"] == "POST":
        request = orjson.loads(environment["wsgi.input"].read())
        for answer in request["prefetch"].values():
            get_fhir_model_class(answer["resourceType"]).model_validate(answer)
    start_response("200 OK", HEADERS)
    return [ANSWER]
