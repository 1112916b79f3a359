"""Python as where Backpath is installed without extras: what only these bring is not found.

PyArrow and DuckDB use NumPy and pandas where they are, and importing them takes long.
"""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Beside this file stand modules of the same names, which are found first.
PYTHON_PATH = os.pathsep.join(map(str, (HERE, HERE.parents[1])))
