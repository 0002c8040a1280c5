"""A small part of ``make fuzz``, always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fuzz.drawn import problem, run
from tests.fuzz.service import careful
from tests.support import contract

REQUESTS, SEED = 150, 7


def test_no_drawn_request_breaks_the_service_or_the_form_of_its_errors(tmp_path: Path) -> None:
    contract.needed()
    with careful(tmp_path) as service:
        answers = list(run(service, REQUESTS, SEED))
    assert [f"{operation} {wrong}" for operation, _, wrong in answers if wrong] == []
    assert len(answers) >= REQUESTS / 2
    # Not all of them were refused at the door.
    assert {200, 400, 404} <= {status for _, status, _ in answers}


def test_what_must_not_be_is_told() -> None:
    good = {"error": {"code": "a", "message": "b"}}
    assert problem(200, "GET", dict) is None
    assert problem(501, "GET", lambda: good) is None
    assert problem(400, "GET", lambda: good) is None
    assert problem(500, "GET", lambda: good)
    bad: tuple[Any, ...] = ({"detail": "x"}, {"error": {"code": "a"}}, [], None)
    for body in bad:
        assert problem(404, "GET", lambda body=body: body)  # type: ignore[misc]
