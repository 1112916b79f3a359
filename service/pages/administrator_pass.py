"""The pass of an administrator's browser: it proves that the secret was typed, and soon ends.

It is signed with the secret itself: all processes agree on it, none has to keep it, and with
another secret every pass given out is worth nothing.
"""

from __future__ import annotations

import hmac

PASS_SECONDS = 8 * 60 * 60


def new_pass(secret: str, now: float) -> str:
    """A pass that is good from now on.

    Args:
        now: seconds since 1970.
    """
    until = str(int(now) + PASS_SECONDS)
    return f"{until}.{_signature(secret, until)}"


def is_good(given: str, secret: str, now: float) -> bool:
    """Whether a pass was made with this secret, and has not ended."""
    until, _, signature = given.partition(".")
    made_here = hmac.compare_digest(signature.encode(), _signature(secret, until).encode())
    return made_here and now < int(until)


def _signature(secret: str, until: str) -> str:
    return hmac.digest(secret.encode(), f"dashboard until {until}".encode(), "sha256").hex()
