"""Reading content files so that a mistake is reported with its file and line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Imported where they are needed: a start that finds the content compiled needs neither, and they
# take longer to import than it may take.
if TYPE_CHECKING:
    import jsonschema
    import yaml

Place = tuple[str | int, ...]


class ContentError(Exception):
    """A content file is wrong; the message begins with ``file:line:``."""


@dataclass(frozen=True, slots=True)
class Document:
    """A content file: its value, and the line every part of it stands on."""

    path: Path
    value: Any
    lines: Mapping[Place, int]

    def error(self, message: str, place: Place = ()) -> ContentError:
        """The error to raise for something wrong at this place of the file."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        line = self.lines.get(known, 1)
        return ContentError(f"{self.path.parent.name}/{self.path.name}:{line}: {message}")


def read_yaml(path: Path) -> Document:
    """One YAML file. Raises ContentError when unreadable or when a key stands twice."""
    import yaml  # noqa: PLC0415 see above

    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
    except (OSError, UnicodeError) as failure:
        raise ContentError(f"{path.parent.name}/{path.name}:1: {failure}") from failure
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ContentError(f"{path.parent.name}/{path.name}:{line}: not YAML") from failure
    lines: dict[Place, int] = {}
    value = _construct(node, (), lines, loader, path) if node else None
    return Document(path, value, lines)


def _construct(
    node: yaml.Node, place: Place, lines: dict[Place, int], loader: yaml.CSafeLoader, path: Path
) -> Any:
    import yaml  # noqa: PLC0415 see above

    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        value: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            if key in value:
                line = key_node.start_mark.line + 1
                where = f"{path.parent.name}/{path.name}:{line}"
                raise ContentError(f"{where}: {key!r} stands twice")
            value[key] = _construct(value_node, (*place, key), lines, loader, path)
        return value
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(item, (*place, position), lines, loader, path)
            for position, item in enumerate(node.value)
        ]
    return loader.construct_object(node)


def check_schema(document: Document, validator: jsonschema.Draft202012Validator) -> None:
    """Raise ContentError for the first part of the file its JSON Schema refuses."""
    failure = next(iter(validator.iter_errors(document.value)), None)
    if failure is not None:
        raise document.error(failure.message[:200], tuple(failure.absolute_path))


def check_members(
    document: Document, entry: Any, required: Sequence[str], optional: Sequence[str], place: Place
) -> None:
    """Raise ContentError when an entry lacks a member, or has one nobody reads."""
    if not isinstance(entry, dict):
        raise document.error("is no list of members", place)
    for name in required:
        if name not in entry:
            raise document.error(f"{name!r} is missing", place)
    for name in entry:
        if name not in required and name not in optional:
            raise document.error(f"{name!r} is not known here", (*place, name))


def read_schema(path: Path) -> jsonschema.Draft202012Validator:
    """The JSON Schema editors and the library share."""
    import jsonschema  # noqa: PLC0415 see above

    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """The rows of a CSV file. Raises ContentError for other columns or a row of another length."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != list(columns):
            raise ContentError(f"{path.parent.name}/{path.name}:1: columns are not {columns}")
        for row in reader:
            if None in row or None in row.values():
                where = f"{path.parent.name}/{path.name}:{reader.line_num}"
                raise ContentError(f"{where}: row has not {len(columns)} columns")
            yield row
