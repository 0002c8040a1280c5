"""The command line: ``up``, ``down`` and ``run``. Imports what a command needs only when it runs.

``down`` has to work while the environments are half made, so it needs no more than the standard library.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

from include.launcher import processes
from include.launcher.errors import BadInputError, LauncherError
from include.launcher.paths import Paths

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    told = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    commands: dict[str, Callable[[argparse.Namespace, Paths], int]] = {"up": _up, "down": _down, "run": _run}
    try:
        return commands[told.command](told, Paths.from_environment())
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, BadInputError) else 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.launcher", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the stack and leave it running")
    commands.add_parser("down", help="end everything that was started")
    run = commands.add_parser("run", help="run the Dag once and show how it goes")
    run.add_argument("--dataset", default="", help="Hub id, or folder of JSON Lines or parquet")
    run.add_argument("--split-pc", default="", help="percent of every split, above 0 and up to 100")
    run.add_argument("--model", default="", help="name of a model in the registry")
    run.add_argument("--epochs", default="", help="passes over the data")
    run.add_argument("--fail", default="", help="task that the local Azure ML makes fail")
    return parser


def _up(_: argparse.Namespace, paths: Paths) -> int:
    from include.launcher import environment, stack

    def say(text: str) -> None:
        print(text, flush=True)

    running = stack.up(paths, say)
    password = environment.load_secrets(paths)["password"]
    say(f"\nAirflow's UI: {running.airflow.base_url}  user: {environment.USER}  password: {password}")
    say("'make run' runs the Dag here; 'make down' ends it all.")
    return 0


def _down(_: argparse.Namespace, paths: Paths) -> int:
    ended = processes.end(paths.local)
    print(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")
    return 0


def _run(told: argparse.Namespace, paths: Paths) -> int:
    from rich.console import Console

    from include.launcher import faults, request, run

    asked = request.Request(
        dataset=request.dataset(told.dataset) if told.dataset else None,
        split_pc=request.split_pc(told.split_pc) if told.split_pc else None,
        model=request.model(told.model) if told.model else None,
        epochs=request.epochs(told.epochs) if told.epochs else None,
        fault=faults.plan(told.fail) if told.fail else None,
    )
    return run.run(asked, paths, Console())


def _terminate(number: int, _: object) -> None:
    """SIGTERM ends the launcher as an error would: what it started itself is stopped."""
    raise SystemExit(128 + number)
