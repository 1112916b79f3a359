"""What the store keeps: no name, no identifier, no word out of a chart or of a clinician."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

# Plain tables and no classes mapped to them: the mapper alone would take a tenth of the start.
TABLES = MetaData()

# SQLite counts up by itself only in a column of its own INTEGER.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so it is put off before and put on after."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as the database keeps it."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _column(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _key(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    return Column(name, kind, primary_key=True)


# What became of one card, once for each outcome and moment; a card may have several. Empty text
# stands for None: a client that was not verified, a recommendation that the card's uuid does not
# name, a reason that was not given.
FEEDBACK = Table(
    "feedback",
    TABLES,
    _key("id", ROW_ID),
    _column("service", String(64)),
    _column("client", Text),
    _column("card", Text),
    _column("recommendation", String(128)),
    _column("outcome", String(16)),
    _column("at", Instant),
    # The day of ``at`` in UTC, so that both databases count days alike.
    _column("day", Date),
    # A JSON list of uuids.
    _column("suggestions", Text),
    _column("reason_system", Text),
    _column("reason_code", Text),
    UniqueConstraint("card", "outcome", "at", name="feedback_once"),
    Index("feedback_day", "day"),
)

# How often a recommendation was shown in a day: a number, of no card in particular.
SHOWN = Table(
    "impressions",
    TABLES,
    _key("day", Date),
    _key("client", Text),
    _key("service", String(64)),
    _key("recommendation", String(128)),
    _key("indicator", String(16)),
    _column("shown", BigInteger),
)

# The keys that card uuids are signed with, in hexadecimal; the first is used, all are known.
CARD_KEY = Table(
    "card_key",
    TABLES,
    _key("id", ROW_ID),
    Column("key", String(64), unique=True, nullable=False),
)

# Clients' tokens that were used, until they expire; none is ever accepted again. ``expires``
# counts seconds since 1970. ``token`` is a digest of issuer and jti, not the text.
SEEN_TOKENS = Table(
    "seen_tokens",
    TABLES,
    _key("token", String(64)),
    _column("expires", BigInteger),
    Index("seen_tokens_expires", "expires"),
)
