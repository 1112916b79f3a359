"""Where in a JSON text something stands: the line and column of a path, or of a mistake."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.envelope import DEEPEST
from service.errors import WHOLE_BODY

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|-?Infinity|NaN', re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Written:
    """A place in a text; the first character stands on line 1 in column 1."""

    line: int
    column: int


START = Written(1, 1)
# Nobody edits longer texts here, and each fault is looked for from the beginning.
LONGEST_SEARCHED = 1_000_000


def written_at(text: str, path: str) -> Written:
    """Where a path such as ``context.selections[0]`` stands in a JSON text.

    A member stands where its name does. What is missing stands where the innermost part of its
    path does that is there, and everything in a text that is no JSON where that goes wrong. The
    whole stands where something is that other readers of JSON might let pass, else at the start.
    """
    if len(text) > LONGEST_SEARCHED:
        return START
    try:
        json.loads(text)
        offset = _oddity(text) if path == WHOLE_BODY else _offset(text, path)
        return _line_and_column(text, offset)
    except json.JSONDecodeError as mistake:
        return Written(mistake.lineno, mistake.colno)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return START


def _line_and_column(text: str, offset: int) -> Written:
    return Written(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def _oddity(text: str) -> int:
    """Where a JSON text has a member twice, a number that is none, or too much within another."""
    members: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        match token[0][0]:
            case "{" | "[":
                members.append(set())
                if len(members) > DEEPEST:
                    return token.start()
            case "}" | "]":
                members.pop()
            case '"' if members and text[_after_blanks(text, token.end())] == ":":
                name = json.loads(token[0])
                if name in members[-1]:
                    return token.start()
                members[-1].add(name)
            case "N" | "I" | "-":
                return token.start()
    return 0


def _offset(text: str, path: str) -> int:
    shown = value = _after_blanks(text, 0)
    for index, name in _STEP.findall(path):
        found = _element(text, value, int(index)) if index else _member(text, value, name)
        if found is None:
            break
        shown, value = found
    return shown


def _member(text: str, at: int, name: str) -> tuple[int, int] | None:
    """Where the name and the value of a member stand; None without such a member."""
    if text[at] != "{":
        return None
    for named, value in _places_in(text, at):
        if _DECODER.raw_decode(text, named)[0] == name:
            return named, value
    return None


def _element(text: str, at: int, index: int) -> tuple[int, int] | None:
    """Where an element stands, twice; None without such an element."""
    if text[at] != "[":
        return None
    for number, (element, _) in enumerate(_places_in(text, at)):
        if number == index:
            return element, element
    return None


def _places_in(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Where each part of an object or array begins, and its value: the same in an array."""
    is_object = text[at] == "{"
    begin = _after_blanks(text, at + 1)
    while text[begin] not in "]}":
        value = begin
        if is_object:
            _, end = _DECODER.raw_decode(text, begin)
            value = _after_blanks(text, _after_blanks(text, end) + 1)
        yield begin, value
        _, end = _DECODER.raw_decode(text, value)
        end = _after_blanks(text, end)
        begin = _after_blanks(text, end + 1) if text[end] == "," else end


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
