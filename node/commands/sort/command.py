"""SORT: elements of a list, a set or a sorted set in an order, themselves or what they stand for (sort.c of 7.2)."""

from typing import Final

from gossamer.node.commands.sort.options import ARGUMENTS, SortOptions
from gossamer.node.commands.sort.order import by_scores, by_weights
from gossamer.node.commands.sort.scores import scores_of
from gossamer.node.commands.sort.values import elements_of, list_of
from gossamer.node.engine.data.changes import SORTSTORE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DANGEROUS, DENYOOM, LIST, READONLY, SET, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, UPDATE, KeySpec
from gossamer.node.resp.reply import Reply
from gossamer.node.types.sets.set import Set

CATEGORIES: Final = (LIST, SET, SORTED_SET, DANGEROUS)


def stored_at(argv: list[bytes]) -> list[int]:
    """Where the key behind the last STORE stands."""
    found: list[int] = []
    at = 2
    while at < len(argv):
        word = argv[at].upper()
        if word == b"STORE":
            if at + 1 < len(argv):
                found = [at + 1]
        else:
            at += ARGUMENTS.get(word, 0)
        at += 1
    return found


SORTED: Final = KeySpec((RO, ACCESS))
PATTERNS: Final = KeySpec((RO, ACCESS), unknown=True, note="The keys of BY and GET depend on the elements.")
STORED: Final = KeySpec((OW, UPDATE), unknown=True, find=stored_at, note="The key behind STORE, wherever that stands.")


@command("SORT", arity=-2, flags=WRITE | DENYOOM, keys=(SORTED, PATTERNS, STORED), acl=CATEGORIES)
def sort(c: Call, argv: list[bytes]) -> Reply:
    options = SortOptions(argv, c.server.clustered, stores=True)
    c.counting = True
    found = sorted_by(c, argv[1], options)
    c.counting = False
    if options.store is None:
        return found
    if found:
        elements = [b"" if element is None else element for element in found]
        c.store(options.store, list_of(elements, c.server.encodings), SORTSTORE, len(found))
    else:
        c.delete(options.store)
    return len(found)


@command("SORT_RO", arity=-2, flags=READONLY, keys=(SORTED, PATTERNS), acl=CATEGORIES)
def sort_ro(c: Call, argv: list[bytes]) -> Reply:
    return sorted_by(c, argv[1], SortOptions(argv, c.server.clustered, stores=False))


def sorted_by(c: Call, key: bytes, options: SortOptions) -> list[bytes | None]:
    """What SORT answers, None where a pattern of GET finds nothing."""
    value = c.value(key)
    elements = options.limited(in_order(c, elements_of(value), isinstance(value, Set), options))
    if not options.get:
        return [*elements]
    found: list[bytes | None] = []
    for element in elements:
        found += [pattern.value_for(c, element) for pattern in options.get]
    return found


def in_order(c: Call, elements: list[bytes], is_set: bool, options: SortOptions) -> list[bytes]:
    by = options.by
    alpha = options.alpha
    if options.unsorted:
        if not (is_set and options.store is not None):
            return elements[::-1] if options.descending and not is_set else elements
        by, alpha = None, True  # a set has no order of its own, and what is stored must be the same everywhere
    if by is None:
        if not alpha:
            return by_scores(elements, scores_of(elements), options.descending)
        elements.sort(reverse=options.descending)
        return elements
    weights = [by.value_for(c, element) for element in elements]
    if alpha:
        return by_weights(elements, weights, options.descending)
    scores = scores_of([b"0" if weight is None else weight for weight in weights])
    return by_scores(elements, scores, options.descending)
