"""``python -m tests.perf [names...] [--rounds 5] [--write]``: our node beside redis-server and valkey-server.

One file a question; they run one after the other, because two cores measure one thing at a time. ``--write`` puts what
was measured into RESULTS.md, in the place of what stood there of the same questions. All that stands there is of the
same programs: where these are others, only a whole run may write.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console

from gossamer.deploy.user_error import UserError
from tests.perf import (
    acknowledged,
    big,
    clustered,
    contenders,
    elements,
    facts,
    failover,
    files,
    formation,
    fullsync,
    growth,
    idle,
    large,
    latency,
    memory,
    mixed,
    moving,
    scale,
    throughput,
    together,
    types,
)
from tests.perf.figures import Figures
from tests.perf.question import Bench, Question
from tests.perf.report import conditions, heading, markdown, rich_table

QUESTIONS: Final = {
    question.name: question
    for question in (
        throughput.QUESTION,
        types.QUESTION,
        growth.QUESTION,
        big.QUESTION,
        mixed.QUESTION,
        large.QUESTION,
        latency.QUESTION,
        clustered.QUESTION,
        memory.QUESTION,
        elements.QUESTION,
        formation.QUESTION,
        fullsync.QUESTION,
        files.QUESTION,
        failover.QUESTION,
        moving.QUESTION,
        idle.QUESTION,
        acknowledged.QUESTION,
        scale.QUESTION,
        together.QUESTION,
    )
}
RESULTS: Final = Path(__file__).with_name("RESULTS.md")


def main(argv: Sequence[str]) -> int:
    args = read(argv)
    console = Console(width=max(150, Console().width))

    def tell(line: str) -> None:
        print(line, file=sys.stderr)

    try:
        built = None if args.interpreted_only else contenders.compiled(tell)
        bench = Bench(built, contenders.interpreted(), contenders.peers(), args.rounds, args.scale, tell)
        head = heading(facts.versions(bench)) if args.write else ""
        before = RESULTS.read_text() if args.write and RESULTS.exists() else ""
        if len(args.names) < len(QUESTIONS) and not before.startswith(head):
            raise UserError("RESULTS.md is of other programs: only a whole run may replace it")
        machine = [*facts.machine(), ("load average before", facts.load_average())]
        done: list[tuple[Question, list[Figures]]] = []
        for name in args.names:
            tables = QUESTIONS[name].measure(bench)
            done.append((QUESTIONS[name], tables))
            for figures in tables:
                console.print(rich_table(figures))
            if args.write:  # each time: a run of two hours may be cut off
                told = conditions(args.rounds, args.scale, date.today().isoformat(), machine)
                RESULTS.write_text(markdown(done, head, told, before, list(QUESTIONS)))
    except UserError as problem:
        print(f"tests.perf: {problem}", file=sys.stderr)
        return 1
    return 0


def read(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.perf", description="Measure our node beside real servers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(QUESTIONS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each figure (default: 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual amount of work (default: 1)")
    parser.add_argument("--interpreted-only", action="store_true", help="leave out the compiled build")
    parser.add_argument("--write", action="store_true", help="put the figures into RESULTS.md")
    args = parser.parse_args(argv)
    unknown = [name for name in args.names if name not in QUESTIONS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}")
    if args.rounds < 1 or args.scale <= 0:
        parser.error("--rounds and --scale must be positive")
    if args.write and args.interpreted_only:
        parser.error("--write takes both builds")
    args.names = args.names or list(QUESTIONS)
    return args


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
