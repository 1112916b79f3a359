"""The production server: gunicorn with threads, configured by our settings alone."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from service.app import create_app
from service.settings import Settings

THREADS = 8
REQUEST_SECONDS = 30
LONGEST_REQUEST_LINE = 8_190


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn bears no types
    """Gunicorn, told what to serve without a configuration file or command line."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's own settings; the application is loaded before the workers fork."""
        options: dict[str, Any] = {
            "bind": _address(self.settings),
            "workers": self.settings.workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": REQUEST_SECONDS,
            "graceful_timeout": REQUEST_SECONDS,
            "keepalive": 5,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "preload_app": True,
            # Our own line per call says all there is to say; gunicorn's may quote an address.
            "accesslog": None,
            "loglevel": "error",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application; wrong content stops the start here."""
        return create_app(self.settings)


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def serve(settings: Settings) -> None:
    """Serve until told to stop; a call in progress is finished first."""
    Server(settings).run()
