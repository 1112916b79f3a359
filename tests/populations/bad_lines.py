"""Bad lines as real exports have them, made from good ones."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from uuid import UUID

from tests.populations.filling import Lines

CLINICAL = ("Observation", "Condition", "MedicationRequest", "Procedure")


class BadLine(bytes):
    """A line that is planted, and what is wrong with it.

    Attributes:
        twin: for a line given twice, what both have in common; only the later is bad.
    """

    kind: str
    twin: str | None

    @classmethod
    def of(cls, line: bytes, kind: str, twin: str | None = None) -> BadLine:
        """A line of a kind."""
        bad = cls(line)
        bad.kind, bad.twin = kind, twin
        return bad


def _without(line: bytes, member: str) -> bytes:
    resource = json.loads(line)
    del resource[member]
    return json.dumps(resource, separators=(",", ":")).encode()


def _about(line: bytes, patient: bytes, other: bytes) -> bytes:
    return line.replace(b'"Patient/%s"' % patient, b'"%s"' % other, 1)


def _stranger(chance: Random) -> bytes:
    return b"Patient/%s" % str(UUID(int=chance.getrandbits(128), version=4)).encode()


# Kind → the bad line made of a clinical line about a patient.
Spoil = Callable[[bytes, bytes, Random], bytes]
SPOILT: Mapping[str, Spoil] = {
    "not JSON": lambda _, __, chance: (
        b"<html><body>502 Bad Gateway %d</body></html>" % chance.randint(1, 999)
    ),
    "cut": lambda line, _, chance: line[: chance.randint(20, len(line) - 20)],
    "not UTF-8": lambda line, _, __: line.replace(b"<p>", b"<p>caf\xe9 ", 1),
    "array": lambda line, _, __: b"[%s]" % line,
    "number": lambda _, __, chance: b"%d" % chance.randint(1, 999),
    "no resourceType": lambda line, _, __: _without(line, "resourceType"),
    "no subject": lambda line, _, __: _without(line, "subject"),
    "orphan": lambda line, patient, chance: _about(line, patient, _stranger(chance)),
    "subject is a Group": lambda line, patient, _: _about(line, patient, b"Group/spring-clinic"),
    "subject is a Device": lambda line, patient, _: _about(line, patient, b"Device/freezer-2"),
    "blank": lambda _, __, chance: chance.choice((b"", b"   ", b"\t")),
}
OF_PATIENTS = ("Patient without id", "Patient twice")
KINDS = (*SPOILT, *OF_PATIENTS)
NOT_IN_PARQUET = frozenset({"not UTF-8"})  # its texts are UTF-8


def due(bad: int, patients: int, kinds: Sequence[str] = KINDS) -> Mapping[int, Sequence[str]]:
    """Number of a patient → the kinds of bad lines planted among its lines, evenly spread.

    Args:
        bad: how many of each kind.
    """
    found: dict[int, list[str]] = defaultdict(list)
    wanted = [kind for _ in range(bad) for kind in kinds] if patients else []
    for place, kind in enumerate(wanted):
        found[place * patients // len(wanted)].append(kind)
    return found


def plant(lines: Lines, kinds: Sequence[str], patient: str, chance: Random) -> None:
    """Put bad lines of these kinds, made of its own, among the lines of a patient."""
    for kind, type_, line in list(_made(lines, kinds, patient.encode(), chance)):
        lines[type_].append(BadLine.of(line, kind))
    if twice := kinds.count("Patient twice"):
        line = lines["Patient"][0]
        lines["Patient"][:1] = [BadLine.of(line, "Patient twice", patient)] * (1 + twice)


def _made(
    lines: Lines, kinds: Sequence[str], patient: bytes, chance: Random
) -> Iterator[tuple[str, str, bytes]]:
    """(kind, resource type of the file, line) of each; from good lines alone."""
    good = {type_: lines[type_][0] for type_ in CLINICAL if lines.get(type_)}
    for kind in kinds:
        if kind == "Patient without id":
            yield kind, "Patient", _without(lines["Patient"][0], "id")
        elif kind != "Patient twice":
            type_ = chance.choice([*good] or ["Encounter"])
            line = good.get(type_) or lines["Encounter"][0]
            yield kind, type_, SPOILT[kind](line, patient, chance)
