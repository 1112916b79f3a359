"""Steps worked out once, and kept with what they rest on as long as that lives."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

A = TypeVar("A")
S = TypeVar("S")
T = TypeVar("T")
_NOT_YET = object()


def kept_in(place: str) -> Callable[[Callable[[A], T]], Callable[[A], T]]:
    """Have a step about something worked out at most once.

    Args:
        place: the attribute of that thing, a dictionary, that keeps the result.
    """

    def decorate(step: Callable[[A], T]) -> Callable[[A], T]:
        @wraps(step)
        def remembered(about: A) -> T:
            kept = getattr(about, place)
            found: Any = kept.get(step, _NOT_YET)
            if found is _NOT_YET:
                found = kept[step] = step(about)
            result: T = found
            return result

        return remembered

    return decorate


def kept_for_each_in(place: str) -> Callable[[Callable[[A, S], T]], Callable[[A, S], T]]:
    """As ``kept_in``, for a step about two things, the second hashable, such as an ingredient."""

    def decorate(step: Callable[[A, S], T]) -> Callable[[A, S], T]:
        @wraps(step)
        def remembered(about: A, of: S) -> T:
            kept = getattr(about, place)
            key = step, of
            found: Any = kept.get(key, _NOT_YET)
            if found is _NOT_YET:
                found = kept[key] = step(about, of)
            result: T = found
            return result

        return remembered

    return decorate
