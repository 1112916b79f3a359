"""What a process does beside its calls: write what was counted, and find the store again."""

from __future__ import annotations

import atexit
import logging
import os
from threading import Event, Thread

from service.card_names import CardNames
from service.log import log_event
from service.shown import Shown
from service.store import Store
from service.store_errors import StoreUnavailable

# What a process that is killed may lose of the numbers shown; feedback is never among it.
ROUND_SECONDS = 2.0
STOP_SECONDS = 5.0


class Upkeep:
    """A thread beside the calls, in each process that answers any."""

    def __init__(self, store: Store, names: CardNames, shown: Shown) -> None:
        self._store = store
        self._names = names
        self._shown = shown
        self._away = False
        self._process: int | None = None
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start in this process; threads do not live on in a process forked off later."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        self._stopping = Event()
        self._thread = Thread(target=self._go_round, name="upkeep", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the thread, and write what it has left."""
        if self._process != os.getpid():
            return
        self._process = None
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        self.once()
        self._store.close()
        atexit.unregister(self.stop)

    def once(self) -> bool:
        """Do what there is to do now; whether the store could be reached."""
        try:
            if not self._names.learnt:
                self._names.learn(self._store)
            self._shown.write(self._store)
        except StoreUnavailable as problem:
            self._tell(away=True, kind=str(problem))
            return False
        self._tell(away=False)
        return True

    def _go_round(self) -> None:
        while not self._stopping.wait(ROUND_SECONDS):
            self.once()

    def _tell(self, *, away: bool, kind: str = "") -> None:
        """Log that the store went away or came back, once."""
        if away and not self._away:
            log_event(logging.WARNING, "the store cannot be reached", {"kind": kind})
        if self._away and not away:
            log_event(logging.INFO, "the store can be reached again", {})
        self._away = away
