"""Facts: one yes/no/unknown question a function, answered from the chart."""

from importlib import import_module
from pathlib import Path

from cards.case import FACTS

# Importing a module of this folder enters its facts into FACTS.
for _path in sorted(Path(__file__).parent.glob("*.py")):
    if _path.stem != "__init__":
        import_module(f"cards.facts.{_path.stem}")

__all__ = ["FACTS"]
