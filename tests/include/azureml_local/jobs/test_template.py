"""Commands: how a component's template becomes the arguments of a process."""

from __future__ import annotations

import pytest

from azureml_local.jobs.template import UnknownBindingError, argv


def test_a_value_cannot_break_out_of_its_argument() -> None:
    command = "python x.py --text '${{inputs.text}}' --to ${{ outputs.folder }}"
    given = argv(command, {"text": "a' --evil $(id) \"b"}, {"folder": "/out put"})
    assert given == ["python", "x.py", "--text", "a' --evil $(id) \"b", "--to", "/out put"]


def test_a_group_with_an_unset_input_is_left_out() -> None:
    command = "python x.py $[[--rate '${{inputs.rate}}']] $[[--model '${{inputs.model}}']] --last"
    assert argv(command, {"rate": "0.1", "model": None}, {}) == ["python", "x.py", "--rate", "0.1", "--last"]


def test_a_command_with_shell_operators_goes_to_bash() -> None:
    assert argv("echo ${{inputs.a}} && ls", {"a": "1"}, {}) == [
        "bash",
        "-eo",
        "pipefail",
        "-c",
        "echo 1 && ls",
    ]


@pytest.mark.parametrize("command", ["python ${{inputs.nobody}}", "python ${{inputs.unset}}"])
def test_an_input_without_a_value_outside_a_group_is_refused(command: str) -> None:
    with pytest.raises(UnknownBindingError, match="which has no value"):
        argv(command, {"unset": None}, {})
