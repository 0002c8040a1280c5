"""A scoring script that declares what it takes and what it answers."""

from __future__ import annotations

from inference_schema.parameter_types.standard_py_parameter_type import (  # type: ignore[import-not-found]
    StandardPythonParameterType,
)
from inference_schema.schema_decorators import input_schema, output_schema  # type: ignore[import-not-found]


def init() -> None:
    """Nothing to load."""


@input_schema("name", StandardPythonParameterType("Ada"))  # type: ignore[untyped-decorator]
@input_schema("times", StandardPythonParameterType(2))  # type: ignore[untyped-decorator]
@output_schema(StandardPythonParameterType({"text": "AdaAda"}))  # type: ignore[untyped-decorator]
def run(name: str, times: int) -> dict[str, str]:
    """The name so many times."""
    return {"text": name * times}
