"""Facts: one yes/no/unknown question a function, answered from the chart."""

from importlib import import_module
from pathlib import Path

MODULES = tuple(
    import_module(f"cards.facts.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if path.stem != "__init__"
)
