"""What the tests share: the content, an application on a chosen day, and a real server."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from cards.library import Library, load_library
from service.app import create_app
from service.prefetch import SEARCHES
from service.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

A_DAY = date(2026, 3, 2)
HOUSE = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
# A year of low back pain at the time of the tests, of the patient of ``call``.
BACK_PAIN = {
    "resourceType": "Condition",
    "id": "c-1",
    "subject": {"reference": "Patient/pat-1"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "278860009"}]},
    "onsetDateTime": "2025-06-01",
}
# Where the importers find what they import: set for the tests, and no setting of the service.
IMPORTERS_ONLY = {"BACKPATH_PACKAGE": None, "BACKPATH_TERMINOLOGY": None}


@pytest.fixture(scope="session")
def library() -> Library:
    """The content, read once for all tests."""
    return load_library()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults, with feedback kept in the test's own folder."""
    return Settings(database_url=f"sqlite:///{tmp_path}/feedback.sqlite3")


@pytest.fixture
def client_on(library: Library, settings: Settings) -> Callable[[date], FlaskClient]:
    """Gives a client of an application for which it is a certain day."""

    def on(day: date) -> FlaskClient:
        return create_app(settings, today=lambda: day, library=library).test_client()

    return on


@pytest.fixture
def app(library: Library, settings: Settings) -> Flask:
    """The application, on an ordinary day."""
    return create_app(settings, today=lambda: A_DAY, library=library)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the application, on an ordinary day."""
    return app.test_client()


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of ``backpath serve``, running as its own process on the real clock."""
    from tests.serving import serving  # which waits for servers as everybody does, by what is here

    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server.base_url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser that tests of pages share."""
    from tests.browser import chromium  # which takes time to import, and few tests need it

    with chromium() as running:
        yield running


def free_port() -> int:
    """A TCP port nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(base_url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the server to answer; fail with what it printed when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(f"{base_url}/ready", timeout=1).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    pytest.fail(f"the server did not start: {log.read_text()}")


def patient(**members: Any) -> dict[str, Any]:
    """A minimal Patient resource of the patient ``pat-1``."""
    return {"resourceType": "Patient", "id": "pat-1", "birthDate": "1980-05-05", **members}


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    """A search answer with these resources."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": [{"resource": resource} for resource in resources],
    }


def call(hook: str = "patient-view", **members: Any) -> dict[str, Any]:
    """A well-formed hook call for the patient ``pat-1``, whose chart is known to be empty."""
    context: dict[str, Any] = {"userId": "Practitioner/doc-1", "patientId": "pat-1"}
    if hook != "patient-view":
        order = {
            "resourceType": "ServiceRequest",
            "id": "mri-1",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": "Patient/pat-1"},
            "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "72148"}]},
        }
        context["draftOrders"] = {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": order}],
        }
    if hook == "order-select":
        context["selections"] = ["ServiceRequest/mri-1"]
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context,
        "prefetch": {"patient": patient(), **{key: bundle() for key in SEARCHES}},
        **members,
    }
