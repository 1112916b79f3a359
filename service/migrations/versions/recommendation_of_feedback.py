"""Feedback names its recommendation and client; cards shown are counted; keys and tokens kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ROWS_AT_ONCE = 1_000
SAME = ("service", "card", "outcome", "suggestions", "reason_system", "reason_code")


def upgrade() -> None:
    """Make the new tables, and move the feedback of the first version into its own."""
    op.rename_table("feedback", "feedback_0001")
    feedback = _make_feedback()
    _make_others()
    _move(feedback)
    op.drop_table("feedback_0001")


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False)


def _make_feedback() -> sa.Table:
    feedback = op.create_table(
        "feedback",
        sa.Column("id", ROW_ID, primary_key=True),
        _text("service", 64),
        _text("client"),
        _text("card"),
        _text("recommendation", 128),
        _text("outcome", 16),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        _text("suggestions"),
        _text("reason_system"),
        _text("reason_code"),
        sa.UniqueConstraint("card", "outcome", "at", name="feedback_once"),
    )
    op.create_index("feedback_day", "feedback", ["day"])
    return feedback


def _make_others() -> None:
    op.create_table(
        "impressions",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("service", sa.String(64), primary_key=True),
        sa.Column("recommendation", sa.String(128), primary_key=True),
        sa.Column("indicator", sa.String(16), primary_key=True),
        sa.Column("shown", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "card_key",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "seen_tokens",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_index("seen_tokens_expires", "seen_tokens", ["expires"])


def _move(feedback: sa.Table) -> None:
    """Keep every outcome of the first version; the same outcome at the same moment is one."""
    connection = op.get_bind()
    old = connection.execute(sa.text("SELECT * FROM feedback_0001 ORDER BY id")).mappings()
    kept: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in old:
        moved = _moved(row, connection.dialect.name)
        kept.setdefault((moved["card"], moved["outcome"], moved["at"]), moved)
    rows = list(kept.values())
    for start in range(0, len(rows), ROWS_AT_ONCE):
        connection.execute(sa.insert(feedback), rows[start : start + ROWS_AT_ONCE])


def _moved(row: Mapping[Any, Any], dialect: str) -> dict[str, Any]:
    at = datetime.fromisoformat(row["at"]).astimezone(UTC)
    return {
        **{name: row[name] for name in SAME},
        "client": "",
        "recommendation": "",
        "at": at.replace(tzinfo=None) if dialect == "sqlite" else at,
        "day": at.date(),
    }
