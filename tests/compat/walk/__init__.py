"""Random requests over all types of data, to us and to a real server, for as long as one likes.

    python -m tests.compat.walk --seed 7 --count 1000000 --against valkey

A table of requests a type stands in ``tables``; ``grammar`` makes requests of its lines, with words from
``vocabulary``. ``walker`` sends them to both sides in batches and has ``compare`` look at the replies; what may differ,
and why, stands in ``differences``. Every so often the DEBUG DIGEST of both must be equal.

Nothing depends on how fast the servers are: times to live are over or far away, active expiry is off, and whoever
blocks gives up after a moment.
"""
