"""One line of CLIENT LIST, with the fields and the order of Redis 7.2: those of 7.0.15, then lib-name and lib-ver.

What does not exist here is zero: the reply buffer of fixed size (rbs, rbp) and free space in the query buffer.
"""

from gossamer.cluster.text import bytes_of, text_of
from gossamer.node.engine.clients.client import IN_MULTI, MONITORING, NOT_TO_PAUSE, SUBSCRIBED, Client


def describe(client: Client, now: int, asking: bool) -> bytes:
    """``id=3 addr=127.0.0.1:53210 laddr=... resp=2`` and a line end; ages in seconds, sizes in bytes.

    ``asking``: it is the one that is told; what it asked with still counts as its query buffer.
    """
    command = client.last_command
    unread = client.query_buffer() if asking else client.unread()
    queued = client.queued()
    tracker = client.tracker
    redirect = tracker.redirect if tracker is not None and tracker.on else -1
    multi = len(client.queue) if client.modes & IN_MULTI else -1
    fields = (
        f"id={client.id} addr={client.addr} laddr={client.laddr} fd={client.fd} name={text_of(client.name)}"
        f" age={now // 1000 - client.created_ms // 1000} idle={now // 1000 - client.active_ms // 1000}"
        f" flags={flags(client)} db={client.db.index} sub=0 psub=0 ssub=0 multi={multi}"
        f" qbuf={unread} qbuf-free=0 argv-mem=0 multi-mem={queued} rbs=0 rbp=0"
        f" obl={client.out_bytes} oll={1 if client.unsent else 0} omem={client.unsent}"
        f" tot-mem={client.memory()} events={'rw' if client.unsent else 'r'}"
        f" cmd={command.name if command is not None else 'NULL'} user={client.user} redir={redirect}"
        f" resp={3 if client.resp3 else 2} lib-name={text_of(client.lib_name)} lib-ver={text_of(client.lib_ver)}\n"
    )
    return bytes_of(fields)


def flags(client: Client) -> str:
    modes = client.modes
    out = ""
    if modes & MONITORING:
        out += "O"
    elif modes & NOT_TO_PAUSE:
        out += "S"
    if client.is_primary:
        out += "M"
    if modes & SUBSCRIBED:
        out += "P"
    if modes & IN_MULTI:
        out += "x"
    if client.blocked:
        out += "b"
    tracker = client.tracker
    if tracker is not None and tracker.on:
        out += "t" + ("R" if tracker.broken else "") + ("B" if tracker.broadcast else "")
    if client.watcher is not None and client.watcher.broken:
        out += "d"
    if client.closing:
        out += "c"
    if client.unix:
        out += "U"
    if client.readonly:
        out += "r"
    if client.no_evict:
        out += "e"
    if client.no_touch:
        out += "T"
    return out or "N"
