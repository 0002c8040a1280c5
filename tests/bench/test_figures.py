"""What `make figures` counts, on a tree so small that the eye can check it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import figures, validations

SERVICE = '''"""Two lines
of docstring."""

from azureml_local import other


def whole(service: int, x: "Service | None", y: int) -> None:
    """Do nothing."""
    return None  # a comment
'''
OTHER = "import typing\n\nif typing.TYPE_CHECKING:\n    from azureml_local.service import whole\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of a service of two modules that import each other, a plugin and a Dag."""
    files = {
        "include/azureml_local/service.py": SERVICE,
        "include/azureml_local/other.py": OTHER,
        "include/azureml_local/noun/__init__.py": '"""A noun."""\n',
        "plugins/azure_ml/hook.py": "from typing import Any\n\nx: Any = 1\nMany = 2\n",
        "dags/finetune_chat_completion.py": "one = 1\ntwo = 2\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("start", "today"),
    [
        ("files at the root", "2"),
        ("lines of a file, median", "4"),
        ("lines of a function with its docstring, median", "3"),
        ("modules in a cycle", "2"),
        ("parameters that pass the whole service", "2"),
        ("lines of the Dag", "2"),
        ("lines with Any", "2"),
    ],
)
def test_each_figure_is_what_the_eye_counts(tree: Path, start: str, today: str) -> None:
    assert [figure.today for figure in figures.figures(tree) if figure.name.startswith(start)] == [today]


def test_comments_and_docstrings_are_shares_of_the_lines_that_are_not_blank(tree: Path) -> None:
    comments, docstrings = [float(figure.today) for figure in figures.figures(tree)[-2:]]
    assert comments == pytest.approx(100 * 1 / 15, abs=0.05)
    assert docstrings == pytest.approx(100 * 4 / 15, abs=0.05)


def test_the_report_is_a_table_and_never_a_failure(tree: Path) -> None:
    lines: list[str] = []
    assert figures.main([str(tree)], lines.append) == 0
    assert len(lines) == 13
    assert len({len(line) for line in lines}) == 1


def test_the_validations_of_a_body_are_counted_in_the_running_service() -> None:
    of_a_job, of_a_deployment = validations.count()
    assert of_a_job >= 1
    assert of_a_deployment >= 1
