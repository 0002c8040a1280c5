"""The command line: ``up``, ``down`` and ``run``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

# "down" must work while the virtual environment is half made: what is not in the standard library is imported late.
from include.launcher import processes
from include.launcher.errors import BadInputError, LauncherError
from include.launcher.paths import Paths

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    commands: dict[str, Callable[[argparse.Namespace, Paths], int]] = {"up": _up, "down": _down, "run": _run}
    try:
        return commands[options.command](options, Paths.from_environment())
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
    ended = processes.end(paths.state)
    print(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")
    return 0


def _run(options: argparse.Namespace, paths: Paths) -> int:
    from rich.console import Console

    from include.launcher import faults, request, run

    chosen = request.Request(
        dataset=request.dataset(options.dataset) if options.dataset else None,
        split_pc=request.split_pc(options.split_pc) if options.split_pc else None,
        model=request.model(options.model) if options.model else None,
        epochs=request.epochs(options.epochs) if options.epochs else None,
        fault=faults.plan(options.fail) if options.fail else None,
    )
    return run.run(chosen, paths, Console())


def _terminate(number: int, _: object) -> None:
    # As an error would: what the launcher started is stopped.
    raise SystemExit(128 + number)
