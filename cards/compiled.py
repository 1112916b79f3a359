"""Content kept compiled, as Python keeps its ``.pyc``, so that a start need not check it anew."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from cards.knowledge import Knowledge, read_knowledge
from cards.recommendation import Dose, DoseByIngredient, DraftedDose, DrugDose

HERE = Path(__file__).parent
FOLDER = "__pycache__"
NAME = "content.msgpack"
CONTENT = (".yaml", ".csv", ".json")
PROGRAMS = (".py",)
DIGEST = sha256().digest_size


def known(root: Path, read: Callable[[Path], Knowledge] = read_knowledge) -> Knowledge:
    """What the content files below ``root`` say, from the compiled form if there is one.

    The compiled form is that of these very files, checked by these very programs: whatever byte of
    either has changed, or of the compiled form itself, all files are read and checked anew. Where
    nothing can be written the files are read at every start.

    Raises:
        ContentError: with file and line.
    """
    kept = root / FOLDER / NAME
    state = state_of(root)
    found = _unpacked(_body(kept, state))
    if found is not None:
        return found
    knowledge = read(root)
    body = msgspec.msgpack.encode(knowledge)
    # A file saved while it was read may be in there by half.
    if state_of(root) == state:
        _keep(kept, state + sha256(body).digest() + body)
    # The first start judges by just what later ones will read.
    return _unpacked(body) or knowledge


def state_of(root: Path) -> bytes:
    """A digest of every content file below ``root``, and of the programs that read and check it."""
    digest = sha256(f"{sys.version} {msgspec.__version__}".encode())
    for top, endings in ((root, CONTENT), (HERE, PROGRAMS)):
        for path in _files(top, endings):
            with suppress(OSError):  # whoever reads it will say so
                content = _bytes(path)
                digest.update(os.fsencode(f"{path[len(str(top)) :]}\0{len(content)}\0"))
                digest.update(content)
    return digest.digest()


def _files(folder: Path | str, endings: tuple[str, ...]) -> list[str]:
    """Every file of these endings in a folder and its own folders, in one order everywhere."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.endswith(endings):
                found.append(entry.path)
            elif entry.is_dir() and entry.name != FOLDER:
                found += _files(entry.path, endings)
    return found


def _bytes(path: str) -> bytes:
    """A file's bytes; without the buffers of ``open``, which hundreds of small files would feel."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, os.fstat(file).st_size + 1)
    finally:
        os.close(file)


def _body(kept: Path, state: bytes) -> bytes:
    """What was kept for this state; empty when there is nothing, or nothing whole."""
    try:
        written = kept.read_bytes()
    except OSError:
        return b""
    body = written[2 * DIGEST :]
    whole = written[:DIGEST] == state and written[DIGEST : 2 * DIGEST] == sha256(body).digest()
    return body if whole else b""


def _keep(kept: Path, written: bytes) -> None:
    """Put the compiled form in place as a whole; two processes that do so write the same."""
    passing = kept.with_name(f"{kept.name}.{os.getpid()}")
    with suppress(OSError):
        kept.parent.mkdir(exist_ok=True)
        try:
            with passing.open("xb") as file:
                file.write(written)
            passing.replace(kept)
        except OSError:
            passing.unlink(missing_ok=True)


def _unpacked(body: bytes) -> Knowledge | None:
    """The knowledge in a compiled form; None when there is none in it."""
    try:
        found: Knowledge = msgspec.msgpack.decode(body, type=Knowledge, dec_hook=_dose)
    except msgspec.DecodeError:
        return None
    return found


def _dose(_: type, members: dict[str, Any]) -> Dose:
    """The dose of these members; each kind has one that no other has."""
    kinds = {"value": DrugDose, "days": DraftedDose, "doses": DoseByIngredient}
    kind = next(kind for member, kind in kinds.items() if member in members)
    return msgspec.convert(members, kind)
