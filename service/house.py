"""What every request of one running application shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import current_app

from cards.library import Library
from service.card_names import CardNames
from service.fhir_client import FhirClient
from service.gate import Gate
from service.metrics import Metrics
from service.profile import Profile, profile_named
from service.settings import Settings
from service.shown import Shown
from service.store import Store
from service.trust import Trust
from service.upkeep import Upkeep

if TYPE_CHECKING:
    from service.clients import TrustedClient


@dataclass(frozen=True, slots=True)
class House:
    """What every request shares: settings, content, the store, the clock, the way in, counts."""

    settings: Settings
    library: Library
    store: Store
    names: CardNames
    shown: Shown
    upkeep: Upkeep
    today: Callable[[], date]
    discovery: dict[str, Any]
    gate: Gate
    metrics: Metrics
    fhir: FhirClient
    trust: Trust | None


def house() -> House:
    """What the running application shares between requests."""
    shared: House = current_app.extensions["backpath"]
    return shared


def profile_of(client: TrustedClient | None, settings: Settings) -> Profile:
    """What a client can show: its own profile, else that of the settings."""
    own = client.profile if client else None
    return profile_named(own or settings.profile, settings.link_hosts)
