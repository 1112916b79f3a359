"""The production server: gunicorn with threads, configured by our settings alone."""

from __future__ import annotations

import logging
import socket
import sys
from signal import SIG_BLOCK, SIG_SETMASK, pthread_sigmask
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from cards.library import no_collection
from service.garbage import keep_for_good
from service.listening import listen, take_address, url_of
from service.log import log_event
from service.settings import Settings
from service.shared_counts import passing_place, shared_counts
from service.worker import LINGERING, STOPPING, Worker

# Beyond the calls that run and wait: threads for whoever asks after our health, is refused, or
# sends its headers slowly.
SPARE_THREADS = 8
REQUEST_SECONDS = 30
# Proxies keep their connections to us for a minute: whoever sends hangs up, not we on a call that
# is on its way.
KEEP_ALIVE_SECONDS = 75
LONGEST_REQUEST_LINE = 8_190
# A token names the address called; one for the longest address is still refused in our words.
LONGEST_HEADER = 2 * LONGEST_REQUEST_LINE


class Master(Arbiter):  # type: ignore[misc]  # gunicorn bears no types
    """Gunicorn's master, but a worker told to stop while it is made stops, and is not deaf."""

    def spawn_worker(self) -> Any:
        """Make a worker, which hears what it is told once it can."""
        before = pthread_sigmask(SIG_BLOCK, STOPPING)
        try:
            return super().spawn_worker()
        finally:
            pthread_sigmask(SIG_SETMASK, before)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn bears no types
    """Gunicorn, told what to serve without a configuration file or command line."""

    def __init__(self, settings: Settings, taken: socket.socket) -> None:
        self.settings = settings
        self.taken = taken
        self.url = url_of(taken)
        self.bind = f"fd://{taken.fileno()}"
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's own settings; the application is loaded before the workers fork."""
        calls = self.settings.max_running_calls + self.settings.max_waiting_calls
        options: dict[str, Any] = {
            "bind": self.bind,
            "workers": self.settings.workers,
            "worker_class": Worker,
            "threads": calls + SPARE_THREADS + LINGERING,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": REQUEST_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "limit_request_field_size": LONGEST_HEADER,
            # Else whoever calls from this machine, as a proxy beside us does for anybody, could
            # say by headers what path and what scheme he called.
            "forwarder_headers": "",
            "forwarded_allow_ips": "",
            "preload_app": True,
            # Our own line per call says all there is to say; gunicorn's may quote an address.
            "accesslog": None,
            # What befalls the workers goes through our log's formatter.
            "errorlog": None,
            "loglevel": "error",
            "control_socket_disable": True,
            # A worker shows there that it lives; a slow disk would make it look dead.
            "worker_tmp_dir": str(passing_place()),
            "when_ready": self.begin,
            "post_fork": _begin_worker,
            "worker_exit": _end_worker,
            "child_exit": _forget_worker,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until told to stop."""
        try:
            Master(self).run()
        except RuntimeError as problem:  # such as a system that gives no more threads
            sys.exit(f"Error: {problem}")

    def load(self) -> Flask:
        """The application; wrong content stops the start here."""
        # Imported now and not above: the counters look, when they are imported, for the folder
        # that the workers share.
        from service.app import create_app  # noqa: PLC0415

        with no_collection():  # it would take a sixth of the time
            app = create_app(self.settings)
        if self.settings.auth == "off":
            log_event(logging.WARNING, "anybody may call: BACKPATH_AUTH is off", {})
        house = app.extensions["backpath"]
        # Now, while there is one process: the tables are made or renewed, the key of card uuids is
        # found. A store that is away does not keep us from answering; the workers try again.
        house.upkeep.once()
        house.store.close()
        listen(self.taken)
        return app

    def begin(self, _: Any) -> None:
        """In the master, about to start the workers: tell where they listen."""
        from service.trust import ROOT  # noqa: PLC0415 as above

        log_event(logging.INFO, "serving", {"url": self.url + ROOT})
        keep_for_good()
        self.taken.detach()  # gunicorn has made a socket of its own of it, and closed this one


def _begin_worker(_: Any, worker: Any) -> None:
    """In a new worker: what the application does beside its calls."""
    house = worker.app.wsgi().extensions["backpath"]
    house.metrics.hand_over_steadily()
    house.upkeep.start()


def _end_worker(_: Any, worker: Any) -> None:
    """In a worker that ends: nothing counted is lost."""
    house = worker.app.wsgi().extensions["backpath"]
    house.metrics.hand_over()
    house.upkeep.stop()


def _forget_worker(_: Any, worker: Any) -> None:
    """In the master, after a worker ended however it did: its calls no longer run."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 as above

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def serve(settings: Settings) -> None:
    """Serve until told to stop; a call in progress is finished first.

    Raises:
        AddressNotTaken: nothing can listen where it was told to; this is tried first.
        ContentError: a content file is wrong.
        SettingsError: the list of trusted clients is wrong.
    """
    with take_address(settings.host, settings.port) as taken, shared_counts():
        Server(settings, taken).run()
