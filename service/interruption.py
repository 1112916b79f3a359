"""Ctrl-C, or being asked to end: a command stops with a sentence, and not with a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from signal import (
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGINT,
    SIGTERM,
    Handlers,
    getsignal,
    pthread_sigmask,
    raise_signal,
    signal,
)
from types import FrameType

ASKING = (SIGINT, SIGTERM)
# What a shell says of a program that a signal ended.
ENDED_BY = 128
Answer = Callable[[int, FrameType | None], None]


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C, or asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = ENDED_BY + number


def code_of(asked: KeyboardInterrupt) -> int:
    """What the process is to end with."""
    return asked.code if isinstance(asked, Interrupted) else ENDED_BY + SIGINT


@contextmanager
def ending_at_once(words: str) -> Iterator[None]:
    """Whoever asks ends the process, with these words; for where nothing is to be put right.

    Such as imports, in the midst of which an exception comes out as anything.
    """
    with _answering(_ends(words)):
        yield


@contextmanager
def interruptible(words: str) -> Iterator[None]:
    """Whoever asks has ``Interrupted`` raised inside; who asks again does not wait any longer.

    That holds until the process ends, which it is to do.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        _answer(_heard(), _ends(words))
        raise Interrupted(number)

    with _answering(interrupt):
        yield


@contextmanager
def asked_later() -> Iterator[None]:
    """Whoever asks waits until this is done; of a process begun inside, until it wants to hear."""
    asked: list[int] = []
    with _answering(lambda number, _: asked.append(number)):
        before = pthread_sigmask(SIG_BLOCK, ASKING)  # which a new process takes over
        try:
            yield
        finally:
            pthread_sigmask(SIG_SETMASK, before)
    for number in asked[:1]:
        raise_signal(number)


def hear_no_more() -> None:
    """Whoever asks from now on is not heard: the process is about to end."""
    _answer(ASKING, SIG_IGN)


def leave_ctrl_c_to_parent() -> None:
    """Hear only who asks this process to end: Ctrl-C goes to all of a terminal's at once."""
    signal(SIGINT, SIG_IGN)
    pthread_sigmask(SIG_UNBLOCK, ASKING)


def _answer(asking: Iterable[int], answer: Answer | Handlers) -> None:
    for number in asking:
        signal(number, answer)


def _ends(words: str) -> Answer:
    def end(number: int, _: FrameType | None) -> None:
        os.write(2, f"\n{words}\n".encode())
        os._exit(ENDED_BY + number)

    return end


@contextmanager
def _answering(answer: Answer) -> Iterator[None]:
    before = {number: getsignal(number) or SIG_DFL for number in _heard()}
    _answer(before, answer)
    ends = False
    try:
        yield
    except Interrupted:
        ends = True
        raise
    finally:
        if not ends:
            for number, usual in before.items():
                signal(number, usual)


def _heard() -> list[int]:
    """Who asks by these; a program begun to run on behind a terminal is not to hear Ctrl-C."""
    return [number for number in ASKING if getsignal(number) is not SIG_IGN]
