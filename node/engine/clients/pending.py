"""The output of one client that waits for replicas (``acks.py``), in the order in which it will leave."""

from collections import deque


class ReplyBatch:
    """``pieces`` leave when the stream is acknowledged up to ``offset``, or at ``deadline`` (ms; 0: never).

    ``doubtful`` are the pieces that are untrue if that part of the stream is lost; the others stand behind them.
    """

    def __init__(self, offset: int, deadline: int, pieces: list[bytes], doubtful: list[int]) -> None:
        self.offset: int = offset
        self.deadline: int = deadline
        self.pieces: list[bytes] = pieces
        self.doubtful: list[int] = doubtful


class PendingReplies:
    """A batch of replies for each batch of requests that left something to wait for."""

    def __init__(self) -> None:
        self.marks: list[int] = []
        """Replies of the present batch that have to wait, as places in the client's output."""
        self.offset: int = 0
        """For what they wait, the last of them."""
        self.batches: deque[ReplyBatch] = deque()
        self.size: int = 0
        """Bytes that wait."""

    def mark(self, place: int, offset: int) -> None:
        self.marks.append(place)
        self.offset = max(self.offset, offset)

    def next_deadline(self) -> int:
        """When the time of the first batch that waits is over; 0: never, or nothing waits."""
        return self.batches[0].deadline if self.batches else 0

    def take_in(self, out: list[bytes], deadline: int) -> list[bytes]:
        """Keep what has to wait of ``out``, which the batch has said; the rest may leave."""
        marks, self.marks = self.marks, []
        first = marks[0] if marks else len(out)
        leaving: list[bytes] = []
        if self.batches:
            self.batches[-1].pieces.extend(out[:first])
            self.size += sum([len(piece) for piece in out[:first]])
        else:
            leaving = out[:first]
        if first < len(out):
            waiting = out[first:]
            self.size += sum([len(piece) for piece in waiting])
            self.batches.append(ReplyBatch(self.offset, deadline, waiting, [mark - first for mark in marks]))
        self.offset = 0
        return leaving

    def let_go(self, confirmed: int, now: int, instead: bytes) -> tuple[list[bytes], int]:
        """What may leave, ``instead`` of each reply that is still in doubt when its time is over; how many are."""
        leaving: list[bytes] = []
        doubtful = 0
        batches = self.batches
        while batches:
            batch = batches[0]
            if batch.offset > confirmed:
                if not 0 < batch.deadline <= now:
                    break
                self.size -= sum([len(batch.pieces[place]) - len(instead) for place in batch.doubtful])
                for place in batch.doubtful:
                    batch.pieces[place] = instead
                doubtful += len(batch.doubtful)
            batches.popleft()
            self.size -= sum([len(piece) for piece in batch.pieces])
            leaving += batch.pieces
        return leaving, doubtful
