"""What a server alone costs: ``python -m tests.bench.servers``, in the benchmark's environment.

Each server runs the same function, which reads the body and answers 2 kB; one worker on a core of
its own, one connection. It was measured so which server ``backpath serve`` is built on.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import click

from service.listening import listen, take_address
from service.server import Server
from service.settings import Settings
from service.shared_counts import shared_counts
from tests.bench.contenders import HOST, LISTENING, Contender
from tests.bench.measures import SETUPS
from tests.bench.rounds import cores_for, measure
from tests.bench.running import running

ANSWER = b" " * 2_000
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))]
SIZES = (12_000, 240_000, 1_200_000)
PYTHON_M = (sys.executable, "-m")
# Hooks of gunicorn's that our application answers and the function here does not.
OF_THE_APPLICATION = ("post_fork", "worker_exit", "child_exit")


def app(
    environment: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """Read the body, answer the constant."""
    environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", HEADERS)
    return [ANSWER]


class Bare(Server):
    """Our server with that function in place of the application."""

    def load_config(self) -> None:
        """As in service, but for what asks the application."""
        super().load_config()
        for hook in OF_THE_APPLICATION:
            self.cfg.set(hook, lambda _, __: None)

    def load(self) -> Any:
        """The function."""
        listen(self.taken)
        return app


HERE = "tests.bench.servers"
THREADS = ("--threads", "48", "--workers", "1", "--no-control-socket")
SERVERS = (
    Contender("backpath serve", None, (*PYTHON_M, HERE, "--serve", "{port}")),
    Contender(
        "gunicorn",
        None,
        (*PYTHON_M, "gunicorn", *THREADS, "--bind", HOST + ":{port}", f"{HERE}:app"),
    ),
    Contender(
        "granian",
        "granian",
        (*PYTHON_M, "granian", "--interface", "wsgi", *LISTENING, f"{HERE}:app"),
    ),
)


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=1.0, show_default=True, help="Of each server in each round.")
@click.option("--serve", type=int, help="Serve on this port instead of measuring.")
def main(rounds: int, seconds: float, serve: int | None) -> None:
    """Print CPU milliseconds per request by server and bytes of the body: medians of rounds."""
    if serve is not None:
        with take_address(HOST, serve) as taken, shared_counts():
            Bare(Settings(workers=1), taken).run()
        return
    setup = SETUPS[0]
    servers, clients = cores_for(setup)
    found = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        calls = {size: _call(Path(folder), size) for size in SIZES}
        present = [server for server in SERVERS if server.installed]
        for _ in range(rounds):
            for server in present:
                with running(server, setup.workers, servers) as up:
                    for size, call in calls.items():
                        measure(up, [call], setup, 0.2, clients)
                        spent = measure(up, [call], setup, seconds, clients).cpu_ms
                        found[server.name, size].append(spent)
    click.echo("bytes               " + "".join(f"{size:10,}" for size in SIZES))
    for server in present:
        costs = (median(found[server.name, size]) for size in SIZES)
        click.echo(f"{server.name:20}" + "".join(f"{cost:10.2f}" for cost in costs))


def _call(folder: Path, size: int) -> Path:
    file = folder / str(size) / "request.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b" " * size)
    return file


if __name__ == "__main__":
    main()
