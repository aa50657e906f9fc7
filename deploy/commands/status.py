"""``gossamer status``: one look at a cluster on this machine."""

import argparse
import json

from gossamer.deploy.options import Parsers, add_dir, folder_of


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("status", help="show the nodes; exits with 0 if all of them are ok")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")
    add_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _: list[str]) -> int:
    from gossamer.deploy.local import password_in
    from gossamer.deploy.sample import Watcher
    from gossamer.deploy.table import console, draw

    folder = folder_of(args)
    record = folder.require()
    running = folder.running(record)
    samples = []
    for port in record.ports:
        watcher = Watcher(record.host, port, password_in(record.options))
        samples.append(watcher.look() if port in running else watcher.gone("not running"))
        watcher.close()
    ok = all(sample.state == "ok" for sample in samples)
    if args.json:
        nodes = [
            {**sample.as_json(), "pid": running.get(port)} for port, sample in zip(record.ports, samples, strict=True)
        ]
        print(json.dumps({"dir": str(folder.path), "ok": ok, "nodes": nodes}, indent=2))
    else:
        console().print(draw(samples, str(folder.path)))
    return 0 if ok else 1
