"""The steps of the Dockerfile, carried out in a plain folder where no engine is at hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import HOUSE

VENV = "/opt/backpath"


@dataclass(frozen=True)
class Step:
    """One instruction of a stage."""

    stage: int
    name: str
    rest: str


def steps() -> list[Step]:
    """Every instruction in order; the base image's line opens a stage, the first being 0."""
    text = re.sub(r"^\s*#.*\n", "", (HOUSE / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    found, stage = [], -1
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        name, _, rest = line.strip().partition(" ")
        stage += name == "FROM"
        if name:
            found.append(Step(stage, name, rest))
    return found


def environment() -> dict[str, str]:
    """What the image sets for whatever runs in it."""
    (settings,) = (step.rest for step in steps() if step.name == "ENV")
    return dict(part.split("=", 1) for part in settings.split())


def command(name: str) -> list[str]:
    """The words of an instruction that ends in a JSON list: CMD or HEALTHCHECK."""
    (rest,) = (step.rest for step in steps() if step.name == name)
    words: list[str] = json.loads(rest[rest.index("[") :])
    return words


def lay_out_context(folder: Path) -> None:
    """Copy what ``.dockerignore`` lets into the build."""
    rules = (HOUSE / ".dockerignore").read_text("utf-8").split()
    taken_out = [rule for rule in rules[1:] if not rule.startswith("!")]
    ignored = shutil.ignore_patterns(*(Path(rule).name for rule in taken_out))
    for rule in rules:
        source = HOUSE / rule.removeprefix("!")
        if not rule.startswith("!"):
            continue
        if source.is_dir():
            shutil.copytree(source, folder / source.name, ignore=ignored)
        else:
            shutil.copy(source, folder)


class Image:
    """The file system the Dockerfile makes, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.context = folder / "context"
        self.context.mkdir()
        lay_out_context(self.context)

    def inside(self, path: str) -> Path:
        """Where a path of the image is."""
        return self.root / path.lstrip("/")

    def build(self) -> None:
        """Carry out both stages.

        What a lock file names is not fetched again: it is lent by the interpreter that runs the
        tests, which ``make test`` has set up from the same lock.
        """
        here = self.root
        for step in steps():
            if step.name == "WORKDIR":
                here = self.inside(step.rest)
                here.mkdir(parents=True, exist_ok=True)
            elif step.name == "COPY" and not step.rest.startswith("--from"):
                *sources, target = step.rest.split()
                for source in sources:
                    self._copy(source, here / target if target[0] != "/" else self.inside(target))
            elif step.name == "RUN" and step.stage == 0:
                for each in step.rest.split("&&"):
                    self._run(each.split(), here)
        self._lend()

    def _lend(self) -> None:
        packages = next(self.inside(VENV).glob("lib/python*/site-packages"))
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib"))

    def _copy(self, name: str, target: Path) -> None:
        source = self.context / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)

    def _run(self, words: list[str], folder: Path) -> None:
        if "--require-hashes" in words:
            locks = [word for word in words if word.endswith(".lock")]
            assert all((folder / lock).is_file() for lock in locks)
            return
        if words[0].startswith(VENV):  # a program of the image itself
            self._lend()
            python = self.inside(f"{VENV}/bin/python")
            program = [str(python), str(self.inside(words[0])), *words[1 : words.index(">")]]
            subprocess.run(program, check=True, cwd=folder, stdout=subprocess.DEVNULL)
            return
        # -P: what lies in the working folder is not taken for installed.
        module = [] if words[0] == "python" else ["-P", "-m", words[0]]
        inner = [str(self.inside(word)) if word.startswith("/") else word for word in words[1:]]
        if "*" in inner[-1]:
            inner[-1:] = map(str, Path(inner[-1]).parent.glob(Path(inner[-1]).name))
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable, *module, *inner],
            cwd=folder,
            env=own,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
