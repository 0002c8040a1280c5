"""Reads the command line; what is heavy is imported by the subcommand that needs it."""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from azureml_local import __version__
from azureml_local.cli.instance import Instance, Running
from azureml_local.settings import Settings

FAILED, WRONG_USE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit code: 0, 1 if it failed, 2 for wrong arguments or settings."""
    args = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        return run(args)
    except ValueError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="azureml-local", description="A local Azure Machine Learning.")
    parser.add_argument("--version", action="version", version=f"azureml-local {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    up = commands.add_parser("up", help="start the service")
    up.add_argument("--port", type=int, help="TCP port, 8443 if not given; 0 takes a free one")
    up.add_argument("--time", metavar="POLICY", help="immediate, timed or manual: how long states last")
    up.add_argument("--detach", action="store_true", help="return once it answers, and leave it running")
    up.add_argument("--prepare", action="store_true", help="first make what jobs and deployments run in")
    up.set_defaults(run=_up)
    env = commands.add_parser("env", help='print the variables of a client: eval "$(azureml-local env)"')
    env.set_defaults(run=_env)
    down = commands.add_parser("down", help="end the service with all of its jobs and deployments")
    down.set_defaults(run=_down)
    for command in (up, env, down):
        command.add_argument("--home", type=Path, help="folder of the state, .azureml-local if not given")
    return parser


def _up(args: argparse.Namespace) -> int:
    settings = _settings(args)
    running = Instance(settings.home).read()
    if running is not None:
        print(f"A local Azure ML runs at {settings.home} already: {running.url}, process {running.pid}.")
        return 0 if args.detach else FAILED
    if args.prepare:
        from azureml_local.provisioning import everything

        everything.make(settings, print)
    if args.detach:
        from azureml_local.cli import detached

        return detached.start(settings)
    # Nothing that the service imports is garbage, and looking for it takes a tenth of the start.
    gc.disable()
    from azureml_local.cli import serve

    return serve.run(settings)


def _settings(args: argparse.Namespace) -> Settings:
    options = {
        "AZUREML_LOCAL_HOME": args.home,
        "AZUREML_LOCAL_PORT": _free_port() if args.port == 0 else args.port,
        "AZUREML_LOCAL_TIME": args.time,
    }
    environment = {name: str(value) for name, value in options.items() if value is not None}
    return Settings.from_environment({**os.environ, **environment})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _env(args: argparse.Namespace) -> int:
    home = _home(args)
    _running(home)
    print((home / "azure.env").read_text(), end="")
    return 0


def _down(args: argparse.Namespace) -> int:
    home = _home(args)
    process = _running(home)
    Instance(home).stop()
    print(f"The local Azure ML at {process.url} has ended.")
    return 0


def _home(args: argparse.Namespace) -> Path:
    return args.home.resolve() if args.home else Settings.from_environment().home


def _running(home: Path) -> Running:
    record = Instance(home).read()
    if record is None:
        raise RuntimeError(f"No local Azure ML runs at {home}: start one with azureml-local up --detach.")
    return record
