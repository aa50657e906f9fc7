"""``python -m gossamer.node [redis.conf] [--directive value ...]``: one node, as redis-server would run."""

import sys

from gossamer.node.io.serve import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
