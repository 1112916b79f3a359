"""Python as where Backpath is installed without extras: what only these bring is not found.

These are pandas, which Spark asks for, and what comes with it. PyArrow and DuckDB use them where
they are, and importing them takes long.
"""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Beside this file stand modules of the same names, which are found first.
PYTHON_PATH = os.pathsep.join(map(str, (HERE, HERE.parents[1])))
