"""Content kept compiled: a quick start judges by the very same content, edited or spoilt."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from cards.compiled import FOLDER, NAME, known
from cards.content import ContentError
from cards.knowledge import Knowledge, read_knowledge
from cards.library import HERE, Library, load_library

CARD = Path("recommendations") / "tens-chronic-avoid.yaml"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the content, never started before."""
    folder = tmp_path / "cards"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", FOLDER))
    return folder


@pytest.fixture
def started(content: Path) -> Path:
    """Content that a first start has compiled."""
    load_library(content)
    return content


def unread(_: Path) -> Knowledge:
    """For content that must not be read."""
    raise AssertionError("the files were read again")


def told(library: Library, part: str) -> object:
    """One part of the library in words; ``repr`` tells 2 from 2.0, and sets are put in order."""
    return repr(msgspec.to_builtins(getattr(library, part), order="sorted"))


def summary(library: Library) -> str:
    """The wording of one card."""
    return library.recommendations[CARD.stem].summary


def reword(folder: Path, old: str, new: str) -> None:
    """Change one word of one card."""
    path = folder / CARD
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")


def test_every_start_judges_by_the_same(started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later start finds compiled is what the files say, part by part."""
    later = load_library(started)
    monkeypatch.setattr("cards.library.known", read_knowledge)
    from_files = load_library(started)

    for part in (field.name for field in fields(Library) if field.init):
        assert told(from_files, part) == told(later, part), part


def test_a_later_start_reads_no_file_again(started: Path) -> None:
    """Content that has not changed is not parsed and checked anew."""
    assert read_knowledge(started).vocabulary == known(started, unread).vocabulary


def test_a_copy_needs_no_first_start(started: Path, tmp_path: Path) -> None:
    """An image made of a compiled folder starts quickly, whatever became of the files' times."""
    copied = tmp_path / "image"
    shutil.copytree(started, copied, copy_function=shutil.copyfile)

    assert known(started, unread).drugs == known(copied, unread).drugs


def test_a_card_reworded_says_the_new_words(started: Path) -> None:
    """An edit is seen at the next start, even one that changes neither length nor time."""
    before = (started / CARD).stat()
    word = summary(load_library(started)).split()[0]
    reword(started, f"summary: {word}", f"summary: {word[::-1]}")
    os.utime(started / CARD, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert summary(load_library(started)).startswith(f"{word[::-1]} ")


def test_a_mistake_made_later_is_told_with_its_line(started: Path) -> None:
    """Content that was right once is checked again when it changes."""
    reword(started, "- draft_tens", "- draft_tenz")

    with pytest.raises(ContentError, match=rf"{CARD}:\d+: 'draft_tenz' is not a fact"):
        load_library(started)


def test_other_programs_check_anew(started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of Backpath, which may check more, does not trust what an older one checked."""
    newer = started.parent / "newer"
    newer.mkdir()
    (newer / "content.py").write_text("stricter = True\n")
    monkeypatch.setattr("cards.compiled.HERE", newer)

    with pytest.raises(AssertionError, match="read again"):
        known(started, unread)


SPOILT: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("emptied", lambda _: b""),
    ("cut short", lambda body: body[: len(body) // 2]),
    ("a byte fell over", lambda body: body[:5_000] + bytes([body[5_000] ^ 1]) + body[5_001:]),
    ("something else", lambda _: b"\x80\x04K\x01." * 100),
]


@pytest.mark.parametrize(("words", "spoil"), SPOILT, ids=[words for words, _ in SPOILT])
def test_a_spoilt_compiled_form_is_made_anew(
    started: Path, words: str, spoil: Callable[[bytes], bytes]
) -> None:
    """What is not whole is not believed: the files are read, and compiled again."""
    kept = started / FOLDER / NAME
    whole = kept.read_bytes()
    kept.write_bytes(spoil(whole))

    assert summary(load_library(started)), words
    assert kept.read_bytes()[:32] == whole[:32]
    assert known(started, unread).version


def test_a_folder_that_takes_nothing_is_read_each_time(content: Path) -> None:
    """Where nothing can be written the service starts all the same, and leaves nothing behind."""
    (content / FOLDER).write_text("not a folder")
    library = load_library(content)

    assert summary(library) == summary(load_library(content))
    assert (content / FOLDER).read_text() == "not a folder"


def test_nothing_passing_is_left(started: Path) -> None:
    """Beside the compiled form there is nothing half written."""
    assert [path.name for path in (started / FOLDER).iterdir()] == [NAME]


def test_wrong_content_is_not_kept(content: Path) -> None:
    """Content that is refused once is refused at every start."""
    reword(content, "- draft_tens", "- draft_tenz")
    for _ in range(2):
        with pytest.raises(ContentError, match="draft_tenz"):
            load_library(content)
    assert not (content / FOLDER / NAME).exists()
