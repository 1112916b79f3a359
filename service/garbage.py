"""What Python's garbage collector may leave alone, because it would look in vain."""

from __future__ import annotations

import atexit
import gc

# As many as a request of a thousand resources makes, and a few megabytes if all are left over.
OBJECTS_BETWEEN_COLLECTIONS = 50_000
# More than all the content, and judging one request by it, make.
OBJECTS_OF_A_COMMAND = 500_000


def keep_for_good() -> None:
    """Have it leave alone what was loaded, and look less often for the rest.

    It would walk over all the content again and again while charts are read, and by that make the
    service's workers copy the memory they share with the master. What loading left over is so
    little that looking for it first would only hold up the start.
    """
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])


def end_with_all() -> None:
    """Have it leave alone what a command makes that ends soon, also at the very end."""
    gc.set_threshold(OBJECTS_OF_A_COMMAND, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
