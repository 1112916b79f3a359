"""Flask without what no request of ours uses: sessions, coroutines, websockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.routing import MapAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_NO_SESSION = NullSession()


class _NoSessions(SessionInterface):
    """Nothing is kept between two requests of a client."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:  # noqa: ARG002
        """The session that can hold nothing, the same for everybody."""
        return _NO_SESSION


class PlainFlask(Flask):
    """Flask, but what takes a share of each request and comes to nothing is left out."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: none of ours is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What matches the address; the host plays no part in it but must be one."""
        if request is None or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)  # which refuses websockets
        return self.url_map.bind(
            request.host, request.root_path, "", request.scheme, request.method, request.path
        )


class WholeResponse(Response):
    """A response whose body is there from the beginning, as bytes."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it as it is; headers and body need no second look where a POST is answered."""
        if environ["REQUEST_METHOD"] != "POST" or self.status_code < 200:
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return self.response  # type: ignore[return-value]
