"""What stands around the code: pinned packages, the image, the layers, the top level."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HOUSE

LOCKS = (
    ".requirements.lock",
    ".requirements-test.lock",
    ".requirements-audit.lock",
    ".requirements-bench.lock",
    ".requirements-build.lock",
)
TOP_LEVEL = {
    "pyproject.toml",
    "service",
    "cards",
    "fhir_fixtures",
    "tests",
    "Dockerfile",
    "README.md",
    "Makefile",
    "LICENSE",
}


def _read(name: str) -> str:
    return (HOUSE / name).read_text("utf-8")


def _project() -> dict[str, Any]:
    return tomllib.loads(_read("pyproject.toml"))


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[._-]+", "-", found[0]).lower()


def _pinned(lock: str) -> set[str]:
    return {_name(line) for line in _read(lock).splitlines() if re.match(r"\S+==", line)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_by_hash(lock: str) -> None:
    """What is installed is what was reviewed, wherever it is downloaded from."""
    entries = re.split(r"\n(?=\S)", _read(lock).strip())

    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in _read(lock)
    assert "index" not in _read(lock)


def test_the_locks_hold_every_dependency() -> None:
    """A dependency added to the project is added to its lock file too."""
    project = _project()["project"]
    served = {_name(requirement) for requirement in project["dependencies"]}
    tested = {_name(requirement) for requirement in project["optional-dependencies"]["test"]}
    benched = {_name(requirement) for requirement in project["optional-dependencies"]["bench"]}

    assert served - _pinned(".requirements.lock") == set()
    assert (served | tested) - _pinned(".requirements-test.lock") == set()
    assert (served | benched) - _pinned(".requirements-bench.lock") == set()
    assert tested & _pinned(".requirements.lock") == set()


@pytest.mark.parametrize("lock", [".requirements-test.lock", ".requirements-bench.lock"])
def test_the_locks_agree(lock: str) -> None:
    """What is tested, and what is measured, is what is served."""
    versions = re.compile(r"^(\S+==\S+)", re.MULTILINE)
    served = set(versions.findall(_read(".requirements.lock")))

    assert served - set(versions.findall(_read(lock))) == set()


def test_the_top_level_holds_what_it_may() -> None:
    """Whoever opens the repository sees the same few names as ever."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a Git work tree")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}

    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_the_image_is_small_and_not_root() -> None:
    """The running image builds nothing, owns nothing, and says whether it is well."""
    build, final = re.split(r"^FROM ", _read("Dockerfile"), flags=re.MULTILINE)[1:]

    assert "--require-hashes" in build
    assert "pip install" not in final
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", final, re.MULTILINE)


def test_what_is_served_can_be_audited_and_listed() -> None:
    """The pins that are served are looked up and listed by tools pinned just as well."""
    makefile = _read("Makefile")
    recipes = dict(re.findall(r"^(audit|sbom):.*\n((?:\t.*\n)+)", makefile, re.MULTILINE))

    assert {"pip-audit", "cyclonedx-bom"} <= _pinned(".requirements-audit.lock")
    assert "-r .requirements.lock" in recipes["audit"]
    assert "--require-hashes" in recipes["audit"]
    assert "cyclonedx-py requirements .requirements.lock" in recipes["sbom"]


def test_the_continuous_check_runs_what_people_run() -> None:
    """There is one way to check, for people and for machines."""
    assert "make check test" in _read(".ci/run")
    assert os.access(HOUSE / ".ci/run", os.X_OK)


def test_the_license_is_whole() -> None:
    """The licence named in the project is the one in the repository."""
    text = _read("LICENSE")

    assert _project()["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copied_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code that may be spoilt."""
    folder = tmp_path_factory.mktemp("house")
    for package in ("cards", "service"):
        shutil.copytree(
            HOUSE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(HOUSE / "pyproject.toml", folder)
    return folder


def test_the_layers_hold(copied_house: Path) -> None:
    """Judging knows nothing of HTTP, network, chance or files."""
    linted = _lint(copied_house)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    "forbidden",
    ["service.hooks", "flask", "requests", "sqlite3", "urllib.request", "random", "time", "os"],
)
def test_a_planted_import_is_found(copied_house: Path, forbidden: str) -> None:
    """One wrong import in a fact is enough to stop a change."""
    planted = copied_house / "cards" / "planted.py"
    planted.write_text(f"import {forbidden}\n")
    try:
        linted = _lint(copied_house)
    finally:
        planted.unlink()

    assert linted.returncode != 0
    assert "cards.planted" in linted.stdout
