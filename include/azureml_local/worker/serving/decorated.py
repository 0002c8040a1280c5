"""What decorators of Azure's own libraries change in how ``run`` is called, where the environment has them.

``@rawhttp`` of azureml-contrib-services: ``run`` is given the request and may answer with an ``AMLResponse``.
``@input_schema`` of inference-schema: ``run`` is given the fields of the body, made into the declared types,
and the declarations are the deployment's swagger. A script that uses neither gets the body as text.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Modules of which a script imports ``rawhttp``.
RAW = ("azureml.contrib.services.aml_request", "azureml_inference_server_http.api.aml_request")


class BadRequestError(Exception):
    """The body is not what the declared inputs need; the message says what is missing."""


@dataclass(frozen=True)
class Call:
    """One scoring request."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Answer:
    """What ``run`` returned, ready to be sent; ``headers`` are those that the script set itself."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def run(function: Callable[..., Any], call: Call) -> Answer:
    """Call ``run`` as its decorators want it; raises BadRequestError: if the body lacks a declared input."""
    if any(getattr(sys.modules.get(name), "_rawHttpRequested", False) for name in RAW):
        return _answer(function(_request(call)))
    if _is_declared(function):
        return _answer(function(**_inputs(function, call)))
    return _answer(function(call.text))


def swagger(function: Callable[..., Any]) -> dict[str, Any] | None:
    """The declared inputs and output as a swagger 2 document; None for a function without declarations."""
    if not _is_declared(function):
        return None
    from inference_schema.schema_util import (  # type: ignore[import-not-found]
        get_input_schema,
        get_output_schema,
    )

    answers = {"200": {"description": "The answer", "schema": get_output_schema(function)}}
    body = {"name": "body", "in": "body", "required": True, "schema": get_input_schema(function)}
    post = {"operationId": "RunMLService", "parameters": [body], "responses": answers}
    return {
        "swagger": "2.0",
        "info": {"title": "ML service", "version": "1.0"},
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {"/score": {"post": post}},
    }


def _is_declared(function: Callable[..., Any]) -> bool:
    util = sys.modules.get("inference_schema.schema_util")
    return util is not None and bool(util.is_schema_decorated(function))


def _inputs(function: Callable[..., Any], call: Call) -> dict[str, Any]:
    try:
        given = json.loads(call.text)
    except ValueError as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from error
    wanted = inspect.signature(function).parameters
    needed = [name for name, one in wanted.items() if one.default is inspect.Parameter.empty]
    if not isinstance(given, dict) or not set(needed) <= set(given):
        raise BadRequestError(f"The body needs an object with the fields {', '.join(needed)}.")
    return {name: given[name] for name in wanted if name in given}


def _request(call: Call) -> Any:
    """The request as Flask, which both libraries build upon, would hand it over."""
    from flask import Request  # type: ignore[import-not-found]
    from werkzeug.test import EnvironBuilder

    builder = EnvironBuilder(
        path=call.path, method=call.method, query_string=call.query, headers=call.headers, data=call.body
    )
    return Request(builder.get_environ())


def _answer(result: Any) -> Answer:
    # An AMLResponse is a response of Flask; whoever returns one has imported Flask.
    flask = sys.modules.get("flask")
    if flask is not None and isinstance(result, flask.Response):
        return Answer(result.get_data(), result.status_code, dict(result.headers))
    return Answer(json.dumps(result).encode())
