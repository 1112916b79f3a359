"""The request's shape: JSON read strictly, then checked against one schema per hook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import accumulate, islice
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.errors import Problem, RequestRefused, malformed
from service.usual_call import is_usual_call

# Imported with the first schema that is read: a call of the usual shape is not held to any.
if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

SCHEMAS = Path(__file__).parent / "envelopes"
DEEPEST = 100
MOST_PROBLEMS = 5
# Half as many are in 8 MB of real FHIR; three million empty ones would take a minute to read.
MOST_OBJECTS = 400_000
SHORTEST_OBJECT = 3  # bytes: two braces, and a comma or the bracket around them

# Linear for any input: possessive, and a string that never ends is taken to the end of the body.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object a body holds, read strictly.

    Raises:
        RequestRefused: 400 for invalid UTF-8, invalid JSON, NaN or infinite numbers, a member given
            twice, nesting beyond ``DEEPEST`` levels, a lone surrogate, or anything but an object.
    """
    if _depth(body) > DEEPEST:
        raise malformed(f"The body is nested more than {DEEPEST} levels deep.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise malformed("The body is not valid UTF-8.") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_float=_number,
            parse_constant=_constant,
        )
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise malformed("A text holds half of a surrogate pair.") from None
    except json.JSONDecodeError as problem:
        raise malformed(
            f"The body is not valid JSON (line {problem.lineno}, column {problem.colno})."
        ) from None
    except ValueError:  # an integer of thousands of digits
        raise malformed("A number is too long.") from None
    if not isinstance(value, dict):
        raise malformed("The body must be a JSON object.")
    return value


def has_too_many_objects(body: bytes) -> bool:
    """Whether a body holds more than ``MOST_OBJECTS``; no escape can hide the brace of one.

    Few bodies are long enough for so many, and of those few are all braces: where the beginning
    holds its share at most, the rest has no room for more.
    """
    too_long = len(body) - SHORTEST_OBJECT * MOST_OBJECTS
    share = min(too_long // SHORTEST_OBJECT, MOST_OBJECTS)
    if too_long <= 0 or body.count(b"{", 0, 2 * too_long) <= share:
        return False
    return body.count(b"{") > MOST_OBJECTS


def _depth(body: bytes) -> int:
    """Deepest nesting of brackets outside strings; counted before anything recursive runs."""
    brackets = _STRING.sub(b"", body).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # Two parsers may pick different ones of the two, so neither can be trusted.
        raise malformed("A member is given twice in the same object.")
    return members


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise malformed("A number is too large.")
    return number


def _constant(_: str) -> float:
    raise malformed("NaN and Infinity are not JSON.")


def check_envelope(request: Mapping[str, Any], hook: str) -> None:
    """Refuse a request that does not have the shape of a call of this hook.

    Raises:
        RequestRefused: 400, with a path for each thing wrong (at most ``MOST_PROBLEMS``).
    """
    if not is_usual_call(request, hook):
        check_shape(request, hook)


def check_shape(request: Mapping[str, Any], schema: str) -> None:
    """Refuse a body that does not fit the named schema; unknown members are ignored.

    Raises:
        RequestRefused: 400, with a path for each thing wrong (at most ``MOST_PROBLEMS``).
    """
    validator = _validator(schema)
    too_long = next(_overlong(request, validator.schema, ()), None)
    if too_long:
        raise RequestRefused(400, too_long)
    # No more are built than are told: a small body can hold hundreds of thousands.
    found = islice(validator.iter_errors(request), MOST_PROBLEMS)
    errors = sorted(found, key=lambda error: error.json_path)
    if errors:
        problems = dict.fromkeys(problem for error in errors for problem in _problems(error))
        raise RequestRefused(400, *list(problems)[:MOST_PROBLEMS])


def _overlong(value: Any, schema: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """The arrays that are longer than the schema lets them be, told before any element is read."""
    if isinstance(value, list):
        most = schema.get("maxItems")
        if most is not None and len(value) > most:
            where = path_text(path)
            yield Problem(f"{where} holds more than {most} elements.", where, "too-long")
            return
        if "items" in schema:
            for place, element in enumerate(value):
                yield from _overlong(element, schema["items"], (*path, place))
    elif isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            if name in value and isinstance(value[name], list | dict):
                yield from _overlong(value[name], inner, (*path, name))


@cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 see above

    text = (SCHEMAS / f"{schema}.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def load_schemas() -> None:
    """Read every schema now, so that no request waits for a file."""
    for schema in ("patient-view", "order-select", "order-sign", "feedback"):
        _validator(schema)


_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "null": "null",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def _problems(error: ValidationError) -> Iterable[Problem]:
    """The problems one schema error stands for, told without any value of the request."""
    path = path_text(error.absolute_path)
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            present: Mapping[str, Any] = error.instance if isinstance(error.instance, dict) else {}
            for name in wanted:
                if name not in present:
                    where = name if path == "$this" else f"{path}.{name}"
                    yield Problem(f"{where} is missing.", where, "required")
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            yield Problem(
                f"{path} must be {' or '.join(_TYPES[kind] for kind in kinds)}.", path, "structure"
            )
        case "enum" | "const":
            allowed = wanted if isinstance(wanted, list) else [wanted]
            yield Problem(f"{path} must be {' or '.join(allowed)}.", path, "value")
        case "minLength" | "minItems" | "minProperties":
            yield Problem(f"{path} must not be empty.", path, "value")
        case "maxLength" | "maxItems":
            yield Problem(f"{path} is too long.", path, "too-long")
        case _:
            yield Problem(f"{path} does not have the expected form.", path, "value")


def path_text(path: Iterable[str | int]) -> str:
    """``context.selections[0]`` for the parts of a path; ``$this`` for none."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "$this"
