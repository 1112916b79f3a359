"""The command line as ``python -m service``, and as the program that ``spark-submit`` is given."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if sys.path and HERE.name == "service" and Path(sys.path[0]).resolve() == HERE:
    # Run by its path: what lies beside it is not to be taken for packages of the same name.
    sys.path[0] = str(HERE.parent)

from service.interruption import ending_at_once  # noqa: E402


def run() -> None:
    """Do what the command line says."""
    with ending_at_once("interrupted; run the same again"):
        from service.cli import main  # noqa: PLC0415 it takes a while

    main(prog_name="backpath")


if __name__ == "__main__":
    run()
