"""Which table holds the keys: the one in C (``native.c``) beside compiled modules, else its twin (``plain.py``).

``plain.py`` says what each method promises; the same tests run on both. ``GOSSAMER_PURE=1`` chooses the twin, as it
chooses the interpreted build of the other modules (``cluster/build.py``).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.cluster.slots import key_slot
    from gossamer.node.store.plain import EXPIRY, OVERHEAD, Clock, Table, route, seed, use_huge_pages
else:
    try:
        from gossamer.node.store.native import EXPIRY, OVERHEAD, Clock, Table, key_slot, route, seed, use_huge_pages
    except ImportError:
        from gossamer.cluster.slots import key_slot
        from gossamer.node.store.plain import EXPIRY, OVERHEAD, Clock, Table, route, seed, use_huge_pages

__all__ = ["EXPIRY", "KEEP", "NEVER", "OVERHEAD", "Clock", "Table", "key_slot", "route", "seed", "use_huge_pages"]

NEVER = -1
"""The key does not expire."""
KEEP = -2
"""Of a put: the key expires when it did before, and this is no use of it."""
