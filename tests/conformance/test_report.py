"""The report on the SDK's tests counts what fails here apart from what only Azure can pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.conformance import distribution, report

JUNIT = """<testsuites><testsuite>
<testcase classname="tests.model.TestModel" name="test_one"/>
<testcase classname="tests.model.TestModel" name="test_two"><failure message="ValueError: no&#10;more"/></testcase>
<testcase classname="tests.model.TestModel" name="test_three"><skipped message="not now"/></testcase>
<testcase classname="tests.model.TestModel" name="test_get_client_key"><failure message="AssertionError"/></testcase>
</testsuite></testsuites>"""


def test_a_failure_is_ours_unless_only_azure_has_what_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT)
    results = report.read(tmp_path / "junit.xml")
    assert [result.outcome for result in results] == ["passed", "failed", "skipped", "real Azure"]
    assert report.write(results, tmp_path / "out.json") == 1
    written = json.loads((tmp_path / "out.json").read_text())
    assert (written["share"], written["counts"]["passed"], len(written["tests"])) == (0.5, 1, 4)
    printed = capsys.readouterr().out
    assert "test_two: ValueError: no" in printed
    assert "50% pass; aim 95%" in printed


def test_nothing_run_is_no_success(tmp_path: Path) -> None:
    assert report.write([], tmp_path / "out.json") == 1


def test_our_files_lie_where_the_tests_look_for_theirs(tmp_path: Path) -> None:
    distribution.write_configs(tmp_path)
    assert yaml.safe_load((tmp_path / "model" / "model_full.yml").read_text())["version"] == 3
    assert json.loads((tmp_path / "components" / "helloworld_component_rest.json").read_text())["properties"]
