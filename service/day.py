"""A calendar day on the command line."""

from __future__ import annotations

from datetime import date
from typing import Any

import click


class Day(click.ParamType[date]):
    """A calendar day, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day a text names."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail("must be a date such as 2026-03-01", param, ctx)
