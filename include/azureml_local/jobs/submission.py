"""From the body of a job's PUT to the runs that it will be: checked whole before anything starts."""

from __future__ import annotations

from collections.abc import Iterator

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute.nodes import Nodes
from azureml_local.jobs import graph, history
from azureml_local.jobs.graph import Asset, Node, Value, given_value, short_compute
from azureml_local.provisioning.everything import will_exist
from azureml_local.registry.definitions import Component, Definitions, check_inputs
from azureml_local.settings import Settings
from azureml_local.storage.uris import Uris


class Planner:
    """Makes the plan of a job."""

    def __init__(self, definitions: Definitions, uris: Uris, nodes: Nodes, settings: Settings) -> None:
        self._definitions, self._uris, self._nodes, self._settings = definitions, uris, nodes, settings

    def plan(self, name: str, properties: Json) -> Node:
        """The job's root node, all below it expanded.

        Raises:
            ArmError: 400 or 404 with the first thing that is wrong; 501 for kinds of jobs that are not served.
        """
        kind = properties.get("jobType")
        if kind == "Pipeline":
            root = self._pipeline(name, properties)
        elif kind == "Command":
            root = self._command(name, properties)
        else:
            raise ArmError(
                501,
                "NotImplemented",
                f"Jobs of type {kind!r} are not served by the local Azure ML.",
                target="jobType",
            )
        for node in _commands(root):
            if not node.compute:
                raise ArmError(
                    400,
                    "UserError",
                    f"Node {node.name!r} has no compute, and the job has no default compute.",
                )
            self._nodes.check(node.compute, node.instances)
            self._check_assets(node)
        return root

    def _pipeline(self, name: str, properties: Json) -> Node:
        settings = properties.get("settings") or {}
        given = _given(properties)
        if component_id := properties.get("componentId"):
            component = self._definitions.load(component_id)
            check_inputs(component, given, f"job {name!r}")
            inputs = graph.with_defaults(component, given)
        else:
            component = Component(f"job:{name}", _inline(properties), False, None)
            inputs = given
        root = Node(
            name,
            name,
            component,
            inputs,
            _outputs(name, component, properties),
            goes_on=bool(settings.get("continue_on_step_failure") or settings.get("ContinueOnStepFailure")),
        )
        if not component.spec.get("jobs"):
            raise ArmError(400, "UserError", f"Pipeline job {name!r} has no nodes.", target="jobs")
        default = (
            settings.get("default_compute") or settings.get("DefaultCompute") or properties.get("computeId")
        )
        root.compute = short_compute(default)
        graph.expand(self._definitions, root, default_compute=root.compute)
        return root

    def _command(self, name: str, properties: Json) -> Node:
        if not properties.get("command"):
            raise ArmError(400, "UserError", f"Command job {name!r} has no command.", target="command")
        outputs = properties.get("outputs") or {}
        spec: Json = {
            "command": properties["command"],
            "inputs": {
                key: {"type": (raw or {}).get("jobInputType", "string"), "optional": True}
                for key, raw in (properties.get("inputs") or {}).items()
            },
            "outputs": {
                key: {"type": (given or {}).get("jobOutputType", "uri_folder")}
                for key, given in outputs.items()
            },
        }
        component = Component(
            f"job:{name}", spec, False, self._definitions.code_folder(properties.get("codeId"))
        )
        return Node(
            name,
            name,
            component,
            _given(properties),
            _outputs(name, component, properties),
            compute=short_compute(properties.get("computeId")),
            instances=int((properties.get("resources") or {}).get("instanceCount") or 1),
            environment={
                key: str(value) for key, value in (properties.get("environmentVariables") or {}).items()
            },
        )

    def _check_assets(self, node: Node) -> None:
        """Refuse an input asset that does not exist; what a step of the job will write need not exist yet."""
        for name, value in node.inputs.items():
            if (
                isinstance(value, Asset)
                and not node.after
                and not will_exist(self._settings, self._uris.resolve(value.uri))
            ):
                raise ArmError(
                    400,
                    "UserError",
                    f"Input {name!r} of node {node.name!r} does not exist: {value.uri}.",
                    target=name,
                )


def _inline(properties: Json) -> Json:
    outputs = properties.get("outputs") or {}
    return {
        "jobs": properties.get("jobs") or {},
        "outputs": {
            name: {"type": (given or {}).get("jobOutputType", "uri_folder")}
            for name, given in outputs.items()
        },
    }


def _given(properties: Json) -> dict[str, Value]:
    return {name: given_value(raw) for name, raw in (properties.get("inputs") or {}).items()}


def _outputs(name: str, component: Component, properties: Json) -> dict[str, str]:
    """Where each declared output goes: the place that the caller chose, else the job's own folder."""
    chosen = {key: (given or {}).get("uri") for key, given in (properties.get("outputs") or {}).items()}
    return {
        key: chosen.get(key) or history.output_uri(name, key, spec.get("type", "uri_folder"))
        for key, spec in component.outputs.items()
    }


def _commands(node: Node) -> Iterator[Node]:
    if not node.is_pipeline:
        yield node
    for below in node.nodes:
        yield from _commands(below)
