"""README.md tells the truth about the tree, the targets and the Dag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from include.launcher.tasks import DAG_ID
from tests.support.azureml_service import ROOT

README = (ROOT / "README.md").read_text()


def tree() -> Iterator[tuple[Path, str]]:
    """Every path of the annotated tree with its caption; the depth is two blanks a level."""
    block = README.split("## Where things are")[1].split("```")[1]
    parents: list[str] = []
    for line in block.strip("\n").splitlines():
        match = re.fullmatch(r"( *)(\S+)(?:  +(.+))?", line)
        assert match, f"no path in {line!r}"
        depth = len(match[1]) // 2
        parents = [*parents[:depth], match[2]]
        yield ROOT.joinpath(*parents), match[3] or ""


def test_every_path_of_the_tree_exists() -> None:
    assert [str(path) for path, _ in tree() if not path.exists()] == []


def test_every_path_of_the_tree_has_a_caption_or_is_explained_by_what_is_below() -> None:
    bare = {path.name for path, caption in tree() if not caption}
    assert bare <= {"dags", "plugins", "include"}


def test_every_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", README, flags=re.MULTILINE)) <= targets


def test_no_text_counts_the_cases_of_chaos() -> None:
    """They grow in tests/chaos/rules.yaml, and a number written here would soon be wrong."""
    texts = {
        path: path.read_text() for path in (ROOT / "Makefile", ROOT / "README.md", *ROOT.glob("docs/**/*.md"))
    }
    counted = re.compile(r"\b\d{2,} (?:(?:runs|times|cases)\b.*|\w+ (?:of )?chaos\b)")
    lines = [line for text in texts.values() for line in text.splitlines() if "chaos" in line.lower()]
    assert [line for line in lines if counted.search(line)] == []


def test_the_table_of_commands_names_every_target_for_users() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    table = set(re.findall(r"`make ([a-z-]+)", README))
    assert targets - table == {"setup", "freeze", "clean"}


def test_the_picture_shows_every_task_of_the_dag() -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{DAG_ID}.py"))
    picture = README.split("```mermaid")[1].split("```")[0]
    assert [task for task in bag.dags[DAG_ID].task_ids if not re.search(rf"\b{task}\b", picture)] == []


def test_the_links_to_files_of_the_project_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
