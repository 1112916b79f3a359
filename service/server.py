"""The production server: gunicorn with threads, configured by our settings alone."""

from __future__ import annotations

import logging
import socket
from time import monotonic
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from service.listening import listen, take_address, url_of
from service.log import log_event
from service.settings import Settings
from service.shared_counts import passing_place, shared_counts
from service.slow_senders import BODY_SECONDS, Head, hang_up, part, timed

# Beyond the calls that run and wait: threads for whoever asks after our health, is refused, or
# sends its headers slowly.
SPARE_THREADS = 8
REQUEST_SECONDS = 30
LONGEST_REQUEST_LINE = 8_190
# A token names the address called; one for the longest address is still refused in our words.
LONGEST_HEADER = 2 * LONGEST_REQUEST_LINE


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
            "threads": calls + SPARE_THREADS,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": REQUEST_SECONDS,
            "keepalive": 5,
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

    def load(self) -> Flask:
        """The application; wrong content stops the start here."""
        # Imported now and not above: the counters look, when they are imported, for the folder
        # that the workers share.
        from service.app import create_app  # noqa: PLC0415

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
        self.taken.detach()  # gunicorn has made a socket of its own of it, and closed this one


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn bears no types
    """Gunicorn's threaded worker, but slow senders hold no thread and its door can be shut."""

    def handle(self, conn: Any) -> Any:
        """One turn of a connection: to wait for the rest of its headers, or to be answered."""
        unreader = timed(conn)
        head = unreader.look()
        if head is Head.LATE:
            hang_up(conn.sock)
            return False
        if head is Head.COMING and self.alive:
            return _DEFER
        stays = super().handle(conn)
        if not stays:
            part(conn.sock)
        return stays

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has come; its body has a time of its own."""
        unreader = timed(conn)
        unreader.body_by = monotonic() + BODY_SECONDS
        try:
            return super().handle_request(req, conn)
        finally:
            unreader.head_by = unreader.body_by = None

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections or leave them; once stopping, let in who knocked and then refuse.

        Left open, the door would let clients in until the last call is answered, and then drop
        them unheard.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            inside = -1
            while inside != self.nr_conns:
                inside = self.nr_conns
                self.accept(listener)
            listener.close()


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
