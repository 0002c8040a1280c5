"""The data fields of the form, checked without a Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.finetune.data.choice import SAMPLES, Choice, choice_of, percent
from include.finetune.errors import InputError


@pytest.mark.parametrize("split_pc", [0, -1, 100.1, "many", None, float("nan"), float("inf"), 10**400, [5]])
def test_a_percentage_outside_0_to_100_is_refused(split_pc: Any) -> None:
    with pytest.raises(InputError, match="give a percentage above 0 and up to 100"):
        percent("split_pc", split_pc)


@pytest.mark.parametrize("split_pc", [0.5, 5, "20", 100])
def test_a_percentage_may_be_a_number_or_its_text(split_pc: Any) -> None:
    assert percent("split_pc", split_pc) == float(split_pc)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("../x", "is the path of a file or folder"),
        ("/etc", "is the path of a file or folder"),
        ("~/data", "is the path of a file or folder"),
        ("a/../b", "is the path of a file or folder"),
        ("https://evil/x", "is an address of scheme 'https'"),
        ("file:///etc/passwd", "is an address of scheme 'file'"),
        ("hf://datasets/a/b", "is an address of scheme 'hf'"),
        ("json", "is not of the form owner/name"),
        ("a/b@..", "is not of the form owner/name"),
        ("a/b..c", "is not of the form owner/name"),
        ("a/b--c", "is not of the form owner/name"),
        ("a/b\n", "is not of the form owner/name"),
        ("a/données", "is not of the form owner/name"),
        ("a/b/c", "is not of the form owner/name"),
        ("a/b;rm", "is not of the form owner/name"),
        ("a b", "is not of the form owner/name"),
        ("", "is not of the form owner/name"),
        ("a/" + "b" * 200, "is not of the form owner/name"),
    ],
)
def test_what_cannot_be_a_hub_id_is_refused_before_the_hub_is_asked(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as raised:
        choice_of({"dataset": name})
    assert "give the id of a data set on the Hub" in str(raised.value)


def test_a_folder_that_looks_like_a_hub_id_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets" / "of-mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is a folder beside this project"):
        choice_of({"dataset": "secrets/of-mine"})


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("sample", "some", "sample is 'some': choose one of 'first rows'"),
        ("on_bad_row", "ignore", "on_bad_row is 'ignore': choose one of 'fail', 'drop'"),
        ("bad_row_limit_pc", 0, "bad_row_limit_pc is 0: give a percentage"),
        ("seed", -1, "seed is -1: give a whole number"),
        ("seed", 1.5, "seed is 1.5: give a whole number"),
        ("seed", float("inf"), "seed is inf: give a whole number"),
        ("mapping", {"mesages": "x"}, "give an object with names out of messages"),
        ("mapping", ["messages"], "give an object with names out of messages"),
        ("mapping", {"prompt": "x"}, "give prompt and response, or messages"),
        ("mapping", {"roles": {"human": "person"}}, "whose values are system, user or assistant"),
        ("mapping", {"messages": 3}, "the names of columns and fields are texts"),
    ],
)
def test_a_value_that_cannot_be_has_one_sentence(field: str, value: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        choice_of({"dataset": "a/b", field: value})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = ("split_pc", "sample", "seed", "mapping", "on_bad_row", "bad_row_limit_pc", "dataset_config")


@settings(deadline=None)
@given(st.sampled_from(FIELDS), ANYTHING)
def test_whatever_is_typed_is_a_choice_or_an_input_error(field: str, value: Any) -> None:
    try:
        chosen = choice_of({"dataset": "a/b", field: value})
    except InputError:
        return
    assert chosen.fingerprint("0" * 40, "train") == chosen.fingerprint("0" * 40, "train")
    assert 0 < chosen.split_pc <= 100
    assert chosen.sample in SAMPLES


def test_the_fingerprint_tells_all_that_changes_the_rows() -> None:
    choices = [
        Choice("a/b"),
        Choice("a/c"),
        Choice("a/b", 6),
        Choice("a/b", config="x"),
        Choice("a/b", sample="random rows"),
        Choice("a/b", sample="random rows", seed=1),
        Choice("a/b", sample="random row groups"),
        Choice("a/b", on_bad_row="drop"),
        Choice("a/b", on_bad_row="drop", bad_row_limit_pc=1),
    ]
    prints = {
        chosen.fingerprint(revision, split) for chosen in choices for revision in "12" for split in "ab"
    }
    assert len(prints) == len(choices) * 4


def test_the_seed_of_the_smoke_test_changes_no_first_rows() -> None:
    assert Choice("a/b", seed=1).fingerprint("1", "a") == Choice("a/b", seed=2).fingerprint("1", "a")
