"""What the continuous check needs beyond Python: a browser, Java, and pictures that stay small."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import browser
from tests.conftest import HOUSE
from tests.readme_pictures import MOST_BYTES, PICTURES, SIGHTS

TOOLS = ("bash", "dirname", "id", "env", "sh")
Machine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Runs ``.ci/run`` on a machine with these programs, each of which tells that it was called."""

    def run(*programs: str, apt: int = 0) -> subprocess.CompletedProcess[str]:
        house, bin_folder = tmp_path / "house", tmp_path / "bin"
        (house / ".ci").mkdir(parents=True)
        bin_folder.mkdir()
        shutil.copy(HOUSE / ".ci" / "run", house / ".ci" / "run")
        for tool in TOOLS:
            (bin_folder / tool).symlink_to(str(shutil.which(tool)))
        for name in programs:
            ends = apt if name == "apt-get" else 0
            words = "browser $TEST_BROWSER $TEST_SPARK" if name == "make" else ""
            passes_on = 'exec "$@"' if name == "sudo" else f"exit {ends}"
            program = bin_folder / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" {words}\n{passes_on}\n')
            program.chmod(0o755)
        return subprocess.run(
            [str(house / ".ci" / "run")],
            env={"PATH": str(bin_folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_browser_is_installed_where_there_is_none(machine: Machine) -> None:
    """Debian's, and then everything is checked with it."""
    ran = machine("java", "apt-get", "make", "sudo")

    assert ran.returncode == 0
    assert "apt-get install --yes --no-install-recommends chromium" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "make check test browser required required"


@pytest.mark.parametrize("name", ["chromium", "chromium-browser"])
def test_a_browser_that_is_there_is_taken(machine: Machine, name: str) -> None:
    """Nothing is installed, and no network is needed."""
    ran = machine(name, "java", "apt-get", "make", "sudo")

    assert ran.stdout.splitlines() == ["make check test browser required required"]


def test_without_a_browser_nothing_passes(machine: Machine) -> None:
    """What cannot be installed is said, and fails."""
    ran = machine("java", "apt-get", "make", "sudo", apt=100)

    assert ran.returncode == 1
    assert "chromium cannot be installed" in ran.stderr
    assert "make" not in ran.stdout


def test_java_is_installed_where_there_is_none(machine: Machine) -> None:
    """Debian's, for Spark; without it nothing passes."""
    ran = machine("chromium", "apt-get", "make", "sudo")

    assert "apt-get install --yes --no-install-recommends default-jre-headless" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "make check test browser required required"


def test_without_java_nothing_passes(machine: Machine) -> None:
    """What cannot be installed is said, and fails."""
    ran = machine("chromium", "apt-get", "make", "sudo", apt=100)

    assert ran.returncode == 1
    assert "default-jre-headless cannot be installed" in ran.stderr


@pytest.mark.parametrize(
    ("required", "outcome"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)]
)
def test_a_test_of_pages_is_not_left_out_silently(
    monkeypatch: pytest.MonkeyPatch, required: bool, outcome: type[BaseException]
) -> None:
    """Without a browser it is skipped with a word why, and fails where one is required."""
    monkeypatch.setattr(browser, "REQUIRED", required)
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(outcome, match="no chromium"), browser.chromium():
        pass


@pytest.mark.parametrize("name", SIGHTS)
def test_the_pictures_of_the_readme_are_small(name: str) -> None:
    """Each is there, is one the README shows, and is fetched in a moment."""
    picture = PICTURES / f"{name}.png"

    assert f"({picture.relative_to(HOUSE)})" in (HOUSE / "README.md").read_text("utf-8")
    assert picture.stat().st_size < MOST_BYTES
