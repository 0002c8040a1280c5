"""From a submitted pipeline to runs: ids, values of inputs and places of outputs, before anything runs.

Bindings are resolved here, once: ``${{parent.inputs.x}}`` to the value given above,
``${{parent.jobs.n.outputs.o}}`` to the place where that node will write.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.jobs import history
from azureml_local.registry.definitions import Component, Definitions, check_inputs

_PARENT_INPUT = re.compile(r"\$\{\{\s*parent\.inputs\.([\w.-]+?)\s*\}\}")
_PARENT_OUTPUT = re.compile(r"^\$\{\{\s*parent\.outputs\.([\w.-]+?)\s*\}\}$")
_SIBLING = re.compile(r"^\$\{\{\s*parent\.jobs\.([\w.-]+?)\.outputs\.([\w.-]+?)\s*\}\}$")


@dataclass(frozen=True)
class Asset:
    """An input that is a file, a folder or a model: its URI."""

    uri: str


# What an input holds: a literal, an asset, or nothing.
Value = str | Asset | None


@dataclass
class Node:
    """A pipeline or one command of it, ready to run.

    Attributes:
        run_id: name in run history; ``name`` is the one in the pipeline above.
        inputs: value by name, defaults applied.
        outputs: URI by name.
        compute: name of the cluster; ``serverless`` needs none.
        instances: how many nodes of the cluster it takes.
        after: names of the sibling nodes whose outputs it reads.
        nodes: the nodes of a pipeline, empty for a command.
        goes_on: whether a failed node lets its siblings go on.
    """

    run_id: str
    name: str
    component: Component
    inputs: dict[str, Value]
    outputs: dict[str, str]
    compute: str = ""
    instances: int = 1
    environment: dict[str, str] = field(default_factory=dict)
    after: frozenset[str] = frozenset()
    nodes: list[Node] = field(default_factory=list)
    goes_on: bool = False

    @property
    def is_pipeline(self) -> bool:
        """Whether it holds nodes rather than a command."""
        return "jobs" in self.component.spec


def given_value(raw: Any) -> Value:
    """The value of an input as a job's body writes it, in the form of ARM or of a component."""
    if not isinstance(raw, dict):
        return None if raw is None else _text(raw)
    if raw.get("uri"):
        return Asset(raw["uri"])
    if raw.get("path"):
        return Asset(raw["path"])
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


def short_compute(raw: str | None) -> str:
    """Name of a cluster from its name, ``azureml:<name>`` or ARM id."""
    return (raw or "").rstrip("/").rpartition("/")[2].removeprefix("azureml:")


def expand(definitions: Definitions, pipeline: Node, *, default_compute: str) -> None:
    """Fill ``pipeline.nodes``, and theirs.

    Raises:
        ArmError: 400 if a node names what there is not or gets wrong inputs; 404 for an unknown component.
    """
    bodies: Json = pipeline.component.spec.get("jobs") or {}
    drafts = {name: _draft(definitions, pipeline, name, body) for name, body in bodies.items()}
    for name, node in drafts.items():
        _bind(pipeline, drafts, node, bodies[name], default_compute)
        check_inputs(node.component, node.inputs, f"node {name!r}")
        node.inputs = with_defaults(node.component, node.inputs)
        if node.is_pipeline:
            expand(definitions, node, default_compute=node.compute or default_compute)
    pipeline.nodes = list(drafts.values())


def _draft(definitions: Definitions, pipeline: Node, name: str, body: Json) -> Node:
    reference = body.get("componentId") or body.get("component")
    if isinstance(reference, dict):
        component = Component(
            f"inline:{name}", reference, False, definitions.code_folder(reference.get("code"))
        )
    elif isinstance(reference, str):
        component = definitions.load(reference, in_registry=pipeline.component.registry)
    else:
        kind = body.get("type") or body.get("jobType")
        raise ArmError(
            501, "NotImplemented", f"Node {name!r} is of type {kind!r}: the local Azure ML runs components."
        )
    run_id = str(uuid.uuid4())
    outputs: dict[str, str] = {}
    for output, spec in component.outputs.items():
        bound = (body.get("outputs") or {}).get(output)
        text = bound.get("value") if isinstance(bound, dict) else bound
        match = _PARENT_OUTPUT.match(text or "")
        if match and match[1] not in pipeline.outputs:
            raise ArmError(
                400, "UserError", f"Node {name!r} writes to {text}, which the pipeline does not declare."
            )
        own = history.output_uri(run_id, output, spec.get("type", "uri_folder"))
        outputs[output] = pipeline.outputs[match[1]] if match else own
    return Node(run_id, name, component, {}, outputs, goes_on=pipeline.goes_on)


def _bind(pipeline: Node, siblings: Mapping[str, Node], node: Node, body: Json, default_compute: str) -> None:
    after = set()
    for name, raw in (body.get("inputs") or {}).items():
        value = given_value(raw)
        text = value if isinstance(value, str) else value.uri if value else ""
        if match := _SIBLING.match(text):
            source = siblings.get(match[1])
            if source is None or match[2] not in source.outputs:
                raise ArmError(
                    400,
                    "UserError",
                    f"Node {node.name!r} reads {text}, which no node of the pipeline writes.",
                )
            after.add(match[1])
            value = Asset(source.outputs[match[2]])
        elif isinstance(value, Asset):
            value = Asset(value.uri) if not _PARENT_INPUT.search(text) else _filled(pipeline, text)
        elif value is not None:
            value = _filled(pipeline, text)
        node.inputs[name] = value
    node.after = frozenset(after)
    resources = body.get("resources") or {}
    compute = _filled(pipeline, str(body.get("computeId") or body.get("compute") or ""))
    instances = _filled(pipeline, str(resources.get("instance_count") or resources.get("instanceCount") or 1))
    node.compute = short_compute(compute if isinstance(compute, str) else "") or default_compute
    node.instances = int(instances) if isinstance(instances, str) and instances.isdecimal() else 1
    variables = body.get("environment_variables") or body.get("environmentVariables") or {}
    node.environment = {name: _text(value) for name, value in variables.items()}


def _filled(pipeline: Node, text: str) -> Value:
    """A text with the parent's inputs put in; a text that is one such binding takes its value whole."""
    match = _PARENT_INPUT.fullmatch(text)
    if match:
        _known(pipeline, match[1])
        return pipeline.inputs[match[1]]

    def value(binding: re.Match[str]) -> str:
        _known(pipeline, binding[1])
        held = pipeline.inputs[binding[1]]
        return held.uri if isinstance(held, Asset) else held or ""

    return _PARENT_INPUT.sub(value, text)


def _known(pipeline: Node, name: str) -> None:
    if name not in pipeline.inputs:
        raise ArmError(
            400, "UserError", f"${{{{parent.inputs.{name}}}}} names no input of the pipeline.", target=name
        )
