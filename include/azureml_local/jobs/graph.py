"""From a submitted pipeline to runs: ids, values of inputs and places of outputs, before anything runs.

Bindings are resolved here, once: ``${{parent.inputs.x}}`` to the value given above,
``${{parent.jobs.n.outputs.o}}`` to the place where that node will write.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.jobs import demands
from azureml_local.jobs.expressions import part
from azureml_local.jobs.nodes import Asset, Node, Output, Value, output
from azureml_local.registry.definitions import Component, Definitions, check_inputs

_PARENT_INPUT = re.compile(r"\$\{\{\s*parent\.inputs\.([\w.-]+?)\s*\}\}")
_PARENT_OUTPUT = re.compile(r"^\$\{\{\s*parent\.outputs\.([\w.-]+?)\s*\}\}$")
_SIBLING = re.compile(r"^\$\{\{\s*parent\.jobs\.([\w.-]+?)\.(inputs|outputs)\.([\w.-]+?)\s*\}\}$")


def given_value(raw: Any) -> Value:
    """The value of an input as a job's body writes it, in the form of ARM or of a component."""
    if not isinstance(raw, dict):
        return None if raw is None else _text(raw)
    if raw.get("uri") or raw.get("path"):
        return Asset(raw.get("uri") or raw["path"], str(raw.get("mode") or ""))
    value = raw.get("value")
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def with_defaults(component: Component, given: Mapping[str, Value]) -> dict[str, Value]:
    """Every declared input with its value: the one given, else the default, else None."""
    return {
        name: given[name] if given.get(name) is not None else given_value(spec.get("default"))
        for name, spec in component.inputs.items()
    }


class Expansion:
    """The nodes of one pipeline, and of those below it."""

    def __init__(self, definitions: Definitions, pipeline: Node) -> None:
        self._definitions, self._pipeline = definitions, pipeline
        self._bodies: Json = pipeline.component.spec.get("jobs") or {}
        self._nodes = {name: self._draft(name, body) for name, body in self._bodies.items()}

    def expand(self) -> None:
        """Fill ``pipeline.nodes``, and theirs.

        Raises:
            ArmError: 400 if a node names what there is not or gets wrong inputs; 404 for an unknown component;
                501 for what is not served.
        """
        for name, node in self._nodes.items():
            self._bind(node, self._bodies[name])
            check_inputs(node.component, node.inputs, f"node {name!r}")
            node.inputs = with_defaults(node.component, node.inputs)
            node.type_inputs()
            if node.is_pipeline:
                Expansion(self._definitions, node).expand()
        self._pipeline.nodes = list(self._nodes.values())

    def _draft(self, name: str, body: Json) -> Node:
        node = Node(
            str(uuid.uuid4()),
            name,
            self._component(name, body),
            goes_on=self._pipeline.goes_on,
            datastore=self._pipeline.datastore,
        )
        for key, spec in node.component.outputs.items():
            bound = (body.get("outputs") or {}).get(key)
            node.outputs[key] = self._output(
                node, key, spec, {"value": bound} if isinstance(bound, str) else bound
            )
        return node

    def _component(self, name: str, body: Json) -> Component:
        reference = body.get("componentId") or body.get("component")
        if isinstance(reference, dict):
            code = self._definitions.code_folder(reference.get("code"))
            return Component(f"inline:{name}", reference, False, code)
        if isinstance(reference, str):
            return self._definitions.load(reference, in_registry=self._pipeline.component.registry)
        kind = body.get("type") or body.get("jobType")
        raise ArmError(
            501, "NotImplemented", f"Node {name!r} is of type {kind!r}: the local Azure ML runs components."
        )

    def _output(self, node: Node, key: str, spec: Json, bound: Json | None) -> Output:
        """Where a node writes an output: to the pipeline's that it is bound to, else to one of its own."""
        text = str((bound or {}).get("value") or "")
        match = _PARENT_OUTPUT.match(text)
        if match and match[1] not in self._pipeline.outputs:
            raise ArmError(
                400, "UserError", f"Node {node.name!r} writes to {text}, which the pipeline does not declare."
            )
        given = {name: value for name, value in (bound or {}).items() if name != "value"}
        if given.get("uri"):
            given["uri"] = self._as_text(str(given["uri"]))
        if not match:
            return output(node, key, spec, given)
        above = self._pipeline.outputs[match[1]]
        # The documentation says of ${{name}}: the name of the step, not of the pipeline.
        place = output(node, key, spec, {**given, "uri": above.path}) if above.path else None
        above.uri = place.uri if place else above.uri
        above.kind = str(spec.get("type") or above.kind)
        return replace(output(node, key, spec, given), uri=above.uri, mode=above.mode, path="")

    def _bind(self, node: Node, body: Json) -> None:
        after: set[str] = set()
        for name, raw in (body.get("inputs") or {}).items():
            value = self._value(node, given_value(raw), after)
            own = raw.get("mode") if isinstance(raw, dict) else None
            node.inputs[name] = value.in_mode(str(own or "")) if isinstance(value, Asset) else value
        node.after = frozenset(after)
        spec = {} if node.is_pipeline else node.component.spec
        asked = {name: value for name, value in spec.items() if name in _OF_COMPONENTS and value} | {
            name: value for name, value in body.items() if value is not None
        }
        node.demands = demands.demands(asked, node.where, self._pipeline.demands.compute, self._as_text)
        variables = part(spec, "environment_variables") | part(body, "environment_variables")
        node.environment = {name: self._as_text(_text(value)) for name, value in variables.items()}

    def _value(self, node: Node, value: Value, after: set[str]) -> Value:
        """A value with its bindings resolved; ``after`` takes the siblings that it waits for."""
        text = value.uri if isinstance(value, Asset) else value or ""
        match = _SIBLING.match(text)
        if match is None:
            filled = self._filled(text) if value is not None and _PARENT_INPUT.search(text) else value
            return (
                Asset(filled, value.mode) if isinstance(value, Asset) and isinstance(filled, str) else filled
            )
        source = self._nodes.get(match[1])
        if (
            source is not None
            and match[2] == "inputs"
            and match[3] in (self._bodies[match[1]].get("inputs") or {})
        ):
            return self._value(source, given_value(self._bodies[match[1]]["inputs"][match[3]]), after)
        if source is None or match[2] == "inputs" or match[3] not in source.outputs:
            raise ArmError(
                400, "UserError", f"Node {node.name!r} reads {text}, which no node of the pipeline writes."
            )
        after.add(match[1])
        return Asset(source.outputs[match[3]].uri, pending=True)

    def _filled(self, text: str) -> Value:
        """A text with the parent's inputs put in; a text that is one such binding takes its value whole."""
        match = _PARENT_INPUT.fullmatch(text)
        if match:
            return self._input(match[1])
        return _PARENT_INPUT.sub(lambda binding: _as_word(self._input(binding[1])), text)

    def _as_text(self, text: str) -> str:
        return _as_word(self._filled(text))

    def _input(self, name: str) -> Value:
        if name not in self._pipeline.inputs:
            raise ArmError(
                400,
                "UserError",
                f"${{{{parent.inputs.{name}}}}} names no input of the pipeline.",
                target=name,
            )
        return self._pipeline.inputs[name]


# What a component may ask for itself, where the node that uses it says nothing else.
_OF_COMPONENTS = ("resources", "distribution", "limits", "queue_settings")


def _as_word(value: Value) -> str:
    return value.uri if isinstance(value, Asset) else value or ""
