"""Commands: how a component's template becomes what bash runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from azureml_local.jobs.template import UnknownBindingError, argv

ECHO = f"{sys.executable} -c 'import json, sys; print(json.dumps(sys.argv[1:]))'"


def arguments(
    command: str, inputs: dict[str, str | Path | None], outputs: dict[str, str | Path]
) -> list[str]:
    """The arguments that the program of a command is started with."""
    found = subprocess.run(
        argv(f"{ECHO} {command}", inputs, outputs), stdout=subprocess.PIPE, check=True
    ).stdout
    return [str(word) for word in json.loads(found)]


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_value_within_quotes_cannot_break_out_of_its_argument(quote: str) -> None:
    text = "a' --evil $(id) \"b `id` $HOME \\ end"
    command = f"--text {quote}${{{{inputs.text}}}}{quote} --to ${{{{ outputs.folder }}}}"
    given = arguments(command, {"text": text}, {"folder": Path("/out put")})
    assert given == ["--text", text, "--to", "/out put"]


def test_a_literal_outside_of_quotes_may_hold_several_arguments() -> None:
    given = arguments(
        "${{inputs.more}} ${{inputs.place}}", {"more": "--a 1 --b 'x y'", "place": Path("/a b")}, {}
    )
    assert given == ["--a", "1", "--b", "x y", "/a b"]


def test_a_group_with_an_unset_input_is_left_out() -> None:
    command = "$[[--rate '${{inputs.rate}}']] $[[--model '${{inputs.model}}']] --last"
    assert arguments(command, {"rate": "0.1", "model": None}, {}) == ["--rate", "0.1", "--last"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 3", 3),
        ("false; true", 1),
        ("false | true", 1),
        ("(exit 4) || true", 0),
        ("true\nexit 5", 5),
        ("X=6 && exit $X", 6),
        ("cd / && test -d usr", 0),
    ],
)
def test_a_command_runs_in_a_shell_and_ends_with_its_first_failure(command: str, code: int) -> None:
    assert subprocess.run(argv(command, {}, {}), check=False).returncode == code


@pytest.mark.parametrize("command", ["python ${{inputs.nobody}}", "python ${{inputs.unset}}"])
def test_an_input_without_a_value_outside_a_group_is_refused(command: str) -> None:
    with pytest.raises(UnknownBindingError, match="which has no value"):
        argv(command, {"unset": None}, {})
