"""HSCAN: a hash, a piece at a time. The guarantees are ``Hash.scan``'s."""

from gossamer.node.commands.hashes.present import seen_at
from gossamer.node.commands.scan_options import NOVALUES, ScanOptions, nothing_to_scan, read_cursor, scanned
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import HASH, READONLY, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, first
from gossamer.node.glob import glob_match
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.hash import Hash


@command("HSCAN", arity=-3, flags=READONLY, keys=first(RO, ACCESS), acl=HASH)
def hscan(c: Call, argv: list[bytes]) -> Reply:
    cursor = read_cursor(argv[2])
    value = c.read(argv[1], Hash)
    if value is None:
        return nothing_to_scan()
    options = ScanOptions(argv, 3, NOVALUES)
    cursor, texts = value.scan(cursor, options.count, seen_at(c))
    return scanned(cursor, wanted(texts, options))


def wanted(texts: list[bytes], options: ScanOptions) -> list[bytes]:
    """Of fields and values in turn, what the options ask for."""
    pattern = options.pattern
    if pattern is None:
        return texts[::2] if options.novalues else texts
    found: list[bytes] = []
    for at in range(0, len(texts), 2):
        if glob_match(pattern, texts[at]):
            found.append(texts[at])
            if not options.novalues:
                found.append(texts[at + 1])
    return found
