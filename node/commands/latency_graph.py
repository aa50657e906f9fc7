"""LATENCY GRAPH: an event's samples as columns of characters, oldest first, each with its age below.

Four rows of three levels each, as Redis 7.0 draws them; the lowest sample is the floor, the highest the ceiling.
"""

from typing import Final

from gossamer.node.engine.insight.latency import Event

ROWS: Final = 4
LEVELS: Final = b"_o#"
FILL: Final = b"|"
WIDTH: Final = 80


def draw(name: bytes, event: Event, now_s: int) -> bytes:
    """The whole reply: a line of extremes, a ruler, and the graph in pieces of ``WIDTH`` columns."""
    times = [took for _, took in event.samples]
    low = min(times)
    high = max(times)
    head = b"%s - high %d ms, low %d ms (all time high %d ms)\n" % (name, high, low, event.max_ms)
    pieces: list[bytes] = []
    for start in range(0, len(times), WIDTH):
        columns = [column(took - low, high - low) for took in times[start : start + WIDTH]]
        ages = [age(now_s - at) for at, _ in event.samples[start : start + WIDTH]]
        pieces.append(transposed(columns, ROWS) + b" " * len(columns) + b"\n" + transposed(ages, max(map(len, ages))))
    return head + b"-" * WIDTH + b"\n" + b"\n".join(pieces)


def column(height: int, ceiling: int) -> bytes:
    """The characters of one column from top to bottom."""
    steps = ROWS * len(LEVELS)
    step = min(steps - 1, height * steps // ceiling if ceiling else 0)
    row, level = divmod(step, len(LEVELS))
    return b" " * (ROWS - 1 - row) + LEVELS[level : level + 1] + FILL * row


def transposed(columns: list[bytes], rows: int) -> bytes:
    """Rows of text from columns of text, blank where a column is too short."""
    out = b""
    for row in range(rows):
        out += b"".join([text[row : row + 1] or b" " for text in columns]) + b"\n"
    return out


def age(seconds: int) -> bytes:
    if seconds < 60:
        return b"%ds" % seconds
    if seconds < 3600:
        return b"%dm" % (seconds // 60)
    if seconds < 86400:
        return b"%dh" % (seconds // 3600)
    return b"%dd" % (seconds // 86400)
