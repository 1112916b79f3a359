"""The threads that answer: gunicorn's own, with less to do for each request."""

from __future__ import annotations

from math import inf
from signal import SIG_UNBLOCK, SIGINT, SIGQUIT, SIGTERM, pthread_sigmask
from threading import Semaphore
from time import monotonic
from typing import Any

from gunicorn.http import body, wsgi
from gunicorn.http.parser import _DRAIN_MAX_BYTES
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from service.slow_senders import BODY_SECONDS, HEAD_SECONDS, Head, hang_up, part, timed

# Threads that may wait on a connection just answered for its next request. To hand a connection
# back, and to another thread again, costs more than to read and answer a small request.
LINGERING = 16
# What tells a worker to stop; held back until it listens for it.
STOPPING = frozenset({SIGINT, SIGQUIT, SIGTERM})


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn bears no types
    """Gunicorn's threaded worker, but slow senders hold no thread and its door can be shut."""

    def __init__(self, *settings: Any) -> None:
        """Gunicorn's own arguments."""
        super().__init__(*settings)
        self._lingering = Semaphore(LINGERING)

    def init_signals(self) -> None:
        """Listen for signals, those too that came while this worker was made."""
        super().init_signals()
        pthread_sigmask(SIG_UNBLOCK, STOPPING)

    def handle(self, conn: Any) -> Any:
        """Turns of a connection, until it has nothing to say for a moment or hangs up."""
        stays = self._turn(conn)
        if stays is not True or not self._lingering.acquire(blocking=False):
            return stays
        try:
            while stays is True and self.alive and timed(conn).linger():
                stays = self._turn(conn)
        finally:
            self._lingering.release()
        return stays

    def _turn(self, conn: Any) -> Any:
        """One turn of a connection: to wait for the rest of its headers, or to be answered."""
        head = timed(conn).look()
        if head is Head.LATE:
            hang_up(conn.sock)
            return False
        if head is Head.COMING and self.alive:
            return _DEFER
        stays = super().handle(conn)
        if not stays:
            part(conn.sock)
        return stays

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer a request whose head has come; its body has a time of its own.

        As gunicorn does, less what is never asked for here: access log, hooks, files, restarts.
        """
        unreader = timed(conn)
        unreader.body_by = monotonic() + BODY_SECONDS
        req.body = Body(req.body.reader)
        answer, environment = wsgi.create(
            req, conn.sock, conn.client, conn.server, self.cfg, response_class=Answer
        )
        environment["wsgi.multithread"] = True
        if not self.alive or len(self.keepalived_conns) >= self.max_keepalived:
            answer.force_close()
        try:
            pieces = self.wsgi(environment, answer.start_response)
            try:
                for piece in pieces:
                    answer.write(piece)
                answer.close()
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except Exception as problem:
            if not answer.headers_sent or isinstance(problem, OSError):
                raise
            # A second answer behind the first one's beginning would pass for part of it.
            self.log.exception("an answer broke off")
            return False
        finally:
            unreader.head_by = unreader.body_by = None
        return not answer.should_close()

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Have a connection wait in the main thread: not long for one that asks for nothing."""
        super().finish_request(conn, fs)
        if self.pending_conns and self.pending_conns[-1] is conn:
            conn.timeout = monotonic() + HEAD_SECONDS

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can be used again: nothing is left of the body it brought."""
        if keepalive and _left(conn.parser.mesg.body) == 0:
            conn.parser.mesg = None  # the parser need not look for what to throw away
            return True
        return bool(super()._keepalive_after(conn, keepalive))

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


class Body(body.Body):  # type: ignore[misc]  # gunicorn bears no types
    """A request's body, handed on as it is read: gunicorn's own copies it three times over."""

    def read(self, size: int | None = None) -> bytes:
        """So many bytes, or all; fewer at the end only."""
        if self.buf.tell():  # a line was read before
            return bytes(super().read(size))
        return bytes(self._read_reader(self.getsize(size)))


class Answer(wsgi.Response):  # type: ignore[misc]  # gunicorn bears no types
    """An answer whose head goes out with the first piece of its body, as one packet if it fits."""

    def __init__(self, *settings: Any) -> None:
        """Gunicorn's own arguments."""
        super().__init__(*settings)
        self._head = b""

    def send_headers(self) -> None:
        """Make the head, to be sent with what follows."""
        if self._head or self.headers_sent:
            return
        if _left(self.req.body) >= _DRAIN_MAX_BYTES:
            self.force_close()  # it will be, and whoever is told so sends nothing more on it
        lines = [*self.default_headers(), *(f"{k}: {v}\r\n" for k, v in self.headers), "\r\n"]
        self._head = "".join(lines).encode("latin-1")

    def _emit_body(self, data: bytes) -> None:
        if self.chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        self._send(data)

    def close(self) -> None:
        """Send what is not sent yet."""
        self.send_headers()
        if self._head or self.chunked:
            self._send(b"0\r\n\r\n" if self.chunked else b"")

    def _send(self, data: bytes) -> None:
        head, self._head, self.headers_sent = self._head, b"", True
        self.sock.sendall(head + data)


def _left(brought: Any) -> float:
    """How many bytes of a request's body nobody has read; infinite where none can say."""
    if brought.failed:
        return inf
    length: int | None = getattr(brought.reader, "length", None)
    if length is not None:
        return length
    return 0 if brought.reader.parser is None else inf
