"""Where the time of one answer goes, stage by stage, measured inside this process.

The application is called as a WSGI function. What ``service.hooks`` calls in the modules of
``OUTER`` is timed there, in CPU time of this thread; what nothing of that takes is HTTP: routing,
reading the body, headers, the log line. Advising is one call: a profiler says what share of it the
modules of each stage have.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from inspect import isfunction
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path
from statistics import median
from time import thread_time_ns
from types import ModuleType
from typing import Any
from unittest.mock import patch

from flask import Flask

import service.cds_services
import service.hooks
from cards.advise import advise
from service.app import create_app
from service.settings import Settings
from tests.bench.calls import BenchCall

# Module → the stage its functions are, wherever ``service.hooks`` calls them.
OUTER: Mapping[str, str] = {
    "service.call": "decode",
    "service.envelope": "decode",
    "service.prefetch": "record",
    "service.patient_record": "record",
    "cards.advise": "advise",
}
ENCODE = ((service.hooks, "respond"), (service.cds_services, "as_json"))
# Stage → modules of ``cards``; all other modules answer facts.
INNER: Mapping[str, frozenset[str]] = {
    "pathway": frozenset({"pathway", "standing"}),
    "recommend": frozenset(
        {"advise", "criteria", "offer", "recommend", "recommendation", "select"}
    ),
    "cards": frozenset({"card", "detail", "grounds", "suggestion", "markdown"}),
}
TIMED = ("HTTP", "decode", "record", "advise", "encode")
STAGES = ("HTTP", "decode", "record", "facts", "pathway", "recommend", "cards", "encode")


def profile(calls: Sequence[BenchCall], day: date, passes: int) -> dict[str, float]:
    """Milliseconds of CPU per request by stage: medians of so many passes over the calls."""
    settings = Settings(database_url="sqlite:///:memory:", log_level="error")
    app = create_app(settings, today=lambda: day)
    _pass(app, calls)
    gc.collect()
    gc.freeze()  # a server holds none of the calls we hold here, and never walks over them
    found = [_pass(app, calls) for _ in range(passes)]
    times = {stage: median(one[stage] for one in found) for stage in TIMED}
    advising = times.pop("advise")
    gc.unfreeze()
    parts = {stage: share * advising for stage, share in _shares(app, calls, passes).items()}
    return {stage: {**times, **parts}.get(stage, 0.0) for stage in STAGES}


def _pass(app: Flask, calls: Sequence[BenchCall]) -> dict[str, float]:
    """Milliseconds per request by outer stage, of one pass."""
    spent: Counter[str] = Counter()
    with _timed(spent):
        for call in calls:
            posted = _environment(call)
            begun = thread_time_ns()
            _post(app, posted)
            spent["HTTP"] += thread_time_ns() - begun
    spent["HTTP"] -= sum(spent[stage] for stage in TIMED[1:])
    return {stage: spent[stage] / len(calls) / 1e6 for stage in TIMED}


def _environment(call: BenchCall) -> dict[str, Any]:
    body = call.body
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/cds-services/{call.service}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
    }


def _post(app: Flask, environment: dict[str, Any]) -> None:
    def start_response(status: str, *_: object) -> None:
        if status[:3] != "200":
            raise ValueError(f"{environment['PATH_INFO']} answered {status}")

    for _ in app.wsgi_app(environment, start_response):  # type: ignore[arg-type]
        pass


@contextmanager
def _timed(spent: Counter[str]) -> Iterator[None]:
    """Have the functions of every outer stage add their CPU time, in nanoseconds."""
    with ExitStack() as patches:
        for place, name, stage in _functions():
            timed = _timing(getattr(place, name), stage, spent)
            patches.enter_context(patch.object(place, name, timed))
        yield


def _functions() -> list[tuple[ModuleType, str, str]]:
    """Where each function of an outer stage is called from, its name there, and the stage.

    None of them calls another of them by the name replaced.
    """
    called = [
        (service.hooks, name, stage)
        for name, function in vars(service.hooks).items()
        if isfunction(function) and (stage := _outer_stage_of(function.__module__))
    ]
    return [*called, *((place, name, "encode") for place, name in ENCODE)]


def _outer_stage_of(module: str) -> str | None:
    return next((stage for name, stage in OUTER.items() if module.startswith(name)), None)


def _timing(function: Callable[..., Any], stage: str, spent: Counter[str]) -> Callable[..., Any]:
    def timed(*args: Any, **named: Any) -> Any:
        begun = thread_time_ns()
        try:
            return function(*args, **named)
        finally:
            spent[stage] += thread_time_ns() - begun

    return timed


def _shares(app: Flask, calls: Sequence[BenchCall], passes: int) -> dict[str, float]:
    """What share of advising each inner stage has, by the profiler's own time of each function."""
    profiler = cProfile.Profile()

    def profiled(*args: Any) -> Any:
        profiler.enable()
        try:
            return advise(*args)
        finally:
            profiler.disable()

    with patch.object(service.hooks, "advise", profiled):
        for call in chain.from_iterable(repeat(calls, passes)):
            _post(app, _environment(call))
    spent: Counter[str] = Counter()
    functions = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]
    for (file, _, _), (_, _, own, _, callers) in functions:
        if stage := _stage_of(file):
            spent[stage] += own
            continue
        # Built-in functions and other packages work for whoever calls them.
        for (caller, _, _), (_, _, share, _) in callers.items():
            spent[_stage_of(caller) or "other"] += share
    del spent["other"]
    return {stage: time / spent.total() for stage, time in spent.items()}


def _stage_of(file: str) -> str | None:
    """The inner stage a source file belongs to; None when it is none of ours."""
    parts = Path(file).parts
    if "cards" not in parts:
        return None
    module = Path(file).stem if parts[-2] == "cards" else ""
    return next((stage for stage, modules in INNER.items() if module in modules), "facts")


def table(found: Mapping[int, Mapping[str, float]]) -> str:
    """Milliseconds by number of resources and stage, as Markdown."""
    lines = [
        f"| resources | {' | '.join(STAGES)} | all |",
        f"|---:|{'---:|' * (len(STAGES) + 1)}",
    ]
    for size, times in found.items():
        cells = [f"{time:.2f}" for time in (*times.values(), sum(times.values()))]
        lines.append(f"| {size:,} | {' | '.join(cells)} |")
    return "\n".join(lines)
