"""What the store keeps: no name, no identifier, no word out of a chart or of a clinician."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import BigInteger, Date, DateTime, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

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


class Table(DeclarativeBase):
    """What every table is made from."""


class FeedbackRow(Table):
    """What became of one card, once for each outcome and moment; a card may have several.

    Empty text stands for None: a client that was not verified, a recommendation that the card's
    uuid does not name, a reason that was not given.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("card", "outcome", "at", name="feedback_once"),
        Index("feedback_day", "day"),
    )

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    service: Mapped[str] = mapped_column(String(64))
    client: Mapped[str] = mapped_column(Text)
    card: Mapped[str] = mapped_column(Text)
    recommendation: Mapped[str] = mapped_column(String(128))
    outcome: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Instant)
    # The day of ``at`` in UTC, so that both databases count days alike.
    day: Mapped[date] = mapped_column(Date)
    # A JSON list of uuids.
    suggestions: Mapped[str] = mapped_column(Text)
    reason_system: Mapped[str] = mapped_column(Text)
    reason_code: Mapped[str] = mapped_column(Text)


class ShownRow(Table):
    """How often a recommendation was shown in a day: a number, of no card in particular."""

    __tablename__ = "impressions"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    client: Mapped[str] = mapped_column(Text, primary_key=True)
    service: Mapped[str] = mapped_column(String(64), primary_key=True)
    recommendation: Mapped[str] = mapped_column(String(128), primary_key=True)
    indicator: Mapped[str] = mapped_column(String(16), primary_key=True)
    shown: Mapped[int] = mapped_column(BigInteger)


class CardKeyRow(Table):
    """A key that card uuids are signed with, in hexadecimal; the first is used, all are known."""

    __tablename__ = "card_key"

    id: Mapped[int] = mapped_column(ROW_ID, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)


class SeenTokenRow(Table):
    """A client's token that was used, until it expires; it is never accepted again.

    ``expires`` counts seconds since 1970. ``token`` is a digest of issuer and jti, not the text.
    """

    __tablename__ = "seen_tokens"
    __table_args__ = (Index("seen_tokens_expires", "expires"),)

    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires: Mapped[int] = mapped_column(BigInteger)
