"""What is worked out of a drug order at most once, and kept with the order as long as it lives.

Many facts ask for the dose and the cover of the same few orders. Such a step rests on the order
alone, or on it and something hashable, such as an ingredient.
"""

from __future__ import annotations

from cards.kept import kept_for_each_in, kept_in

once_an_order = kept_in("worked")
once_an_order_for_each = kept_for_each_in("worked")
