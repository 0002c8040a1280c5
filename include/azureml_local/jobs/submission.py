"""From the body of a job's PUT to the runs that it will be: checked whole before anything starts."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.jobs import demands, graph
from azureml_local.jobs.demands import Demands, short_compute
from azureml_local.jobs.expressions import mode, part
from azureml_local.jobs.graph import given_value
from azureml_local.jobs.machines import Machines
from azureml_local.jobs.nodes import Asset, Node, Value, output
from azureml_local.jobs.registration import Registrar
from azureml_local.provisioning.everything import will_exist
from azureml_local.registry.definitions import Component, Definitions, check_inputs
from azureml_local.settings import Settings
from azureml_local.storage.addresses import DATASTORE
from azureml_local.storage.uris import Uris


class Planner:
    """Makes the plan of a job."""

    def __init__(
        self,
        definitions: Definitions,
        uris: Uris,
        machines: Machines,
        registrar: Registrar,
        settings: Settings,
    ) -> None:
        self._definitions, self._uris, self._settings = definitions, uris, settings
        self._machines, self._registrar = machines, registrar

    def plan(self, name: str, properties: Json) -> Node:
        """The job's root node, all below it expanded.

        Raises:
            ArmError: 400, 404 or 409 with the first thing that is wrong; 501 for what is not served.
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
        for node in root.everything():
            self._check_outputs(node)
            self._registrar.check(node)
        for node in root.commands():
            self._machines.check(node.demands)
            self._check_processes(node)
            self._check_assets(node)
        return root

    def _pipeline(self, name: str, properties: Json) -> Node:
        settings = properties.get("settings") or {}
        _refuse_unserved(name, settings)
        given = _given(properties)
        component_id = properties.get("componentId")
        if component_id:
            component = self._definitions.load(component_id)
            check_inputs(component, given, f"job {name!r}")
            given = graph.with_defaults(component, given)
        else:
            component = Component(f"job:{name}", _inline(properties), False, None)
        if not component.spec.get("jobs"):
            raise ArmError(400, "UserError", f"Pipeline job {name!r} has no nodes.", target="jobs")
        default = _setting(settings, "default_compute") or properties.get("computeId")
        root = Node(
            name,
            name,
            component,
            given,
            demands=Demands(compute=short_compute(default)),
            datastore=self._datastore(_setting(settings, "default_datastore")),
            goes_on=bool(_setting(settings, "continue_on_step_failure")),
        )
        if component_id:
            root.type_inputs()
        _set_outputs(root, properties)
        graph.Expansion(self._definitions, root).expand()
        return root

    def _datastore(self, name: str | None) -> str:
        return (name or "").removeprefix("azureml:").rpartition("/")[2] or self._uris.default_datastore()

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
            "outputs": _declared(outputs),
        }
        component = Component(
            f"job:{name}", spec, False, self._definitions.code_folder(properties.get("codeId"))
        )
        node = Node(
            name,
            name,
            component,
            _given(properties),
            demands=demands.demands(properties, f"Job {name!r}", ""),
            datastore=self._datastore(None),
            environment={key: str(value) for key, value in part(properties, "environment_variables").items()},
        )
        _set_outputs(node, properties)
        return node

    def _check_outputs(self, node: Node) -> None:
        """Refuse an output that is written to no place of a datastore."""
        for key, it in node.outputs.items():
            if not DATASTORE.fullmatch(self._uris.canonical(it.uri)):
                raise ArmError(
                    400,
                    "UserError",
                    f"Output {key!r} of {node.where.lower()} has the path {it.uri}: give one of a datastore, "
                    "azureml://datastores/<name>/paths/<path>.",
                    target=key,
                )
            self._uris.resolve(it.uri)

    @staticmethod
    def _check_processes(node: Node) -> None:
        """Refuse several processes of one step; what comes with the service trains in one, however many it asks for."""
        if node.demands.processes > 1 and not node.component.catalogued:
            raise ArmError(
                501,
                "NotImplemented",
                f"{node.where} asks for {node.demands.processes} processes of a distribution: the local Azure ML "
                "runs one.",
                target="distribution",
            )

    def _check_assets(self, node: Node) -> None:
        """Refuse an input that does not exist; what a step of the job will write need not exist yet."""
        for name, value in node.inputs.items():
            if not isinstance(value, Asset):
                continue
            mode(
                value.mode or node.component.inputs.get(name, {}).get("mode"),
                f"Input {name!r} of {node.where}",
            )
            if value.pending or self._uris.is_remote(value.uri):
                continue
            if not will_exist(self._settings, self._uris.resolve(value.uri)):
                raise ArmError(
                    400,
                    "UserError",
                    f"Input {name!r} of node {node.name!r} does not exist: {value.uri}.",
                    target=name,
                )


def _refuse_unserved(name: str, settings: Json) -> None:
    for word in ("on_init", "on_finalize"):
        if _setting(settings, word):
            raise ArmError(
                501,
                "NotImplemented",
                f"Pipeline job {name!r} has the setting {word}: the local Azure ML runs no such step.",
                target=word,
            )


def _setting(settings: Json, name: str) -> str | None:
    """A setting of a pipeline, spelled as the SDK of today or of before does."""
    value = settings.get(name) or settings.get(name.replace("_", " ").title().replace(" ", ""))
    return value or None


def _inline(properties: Json) -> Json:
    return {
        "jobs": properties.get("jobs") or {},
        "inputs": {},
        "outputs": _declared(properties.get("outputs") or {}),
    }


def _declared(outputs: Json) -> Json:
    return {key: {"type": (given or {}).get("jobOutputType", "uri_folder")} for key, given in outputs.items()}


def _given(properties: Json) -> dict[str, Value]:
    return {name: given_value(raw) for name, raw in (properties.get("inputs") or {}).items()}


def _set_outputs(root: Node, properties: Json) -> None:
    given = properties.get("outputs") or {}
    root.outputs = {
        key: output(root, key, spec, given.get(key) or {}) for key, spec in root.component.outputs.items()
    }
