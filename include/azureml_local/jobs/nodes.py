"""The nodes of a job: a pipeline or one command of it, with all that it reads, writes and asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from azureml_local.arm.grammar import Json
from azureml_local.jobs.demands import Demands
from azureml_local.jobs.expressions import Mode, mode, output_path
from azureml_local.registry.definitions import ASSET_TYPES, Component
from azureml_local.storage.addresses import output_uri


@dataclass(frozen=True)
class Asset:
    """An input that is a file, a folder or a model."""

    # Its address.
    uri: str
    # How it is delivered, as the caller wrote it.
    mode: str = ""
    # Whether a step of the same job writes it.
    pending: bool = False

    def in_mode(self, given: str) -> Asset:
        """The same in that mode; unchanged if none is given."""
        return replace(self, mode=given) if given else self


# What an input holds: a literal, an asset, or nothing.
Value = str | Asset | None


@dataclass
class Output:
    """Where an output goes."""

    # Its address.
    uri: str
    # ``uri_file``, ``uri_folder``, ``mltable`` or a type of model.
    kind: str = "uri_folder"
    # Whether the command gets a path or the address.
    mode: Mode = "mount"
    # The asset that it becomes when the node has succeeded; None for none.
    name: str | None = None
    # Of that asset; None for the next one.
    version: str | None = None
    # The address as the caller chose it for a pipeline, its expressions not resolved.
    path: str = ""


@dataclass
class Node:
    """A pipeline or one command of it, ready to run."""

    # Name in run history; ``name`` is the one in the pipeline above.
    run_id: str
    name: str
    component: Component
    # Value by name, defaults applied.
    inputs: dict[str, Value] = field(default_factory=dict)
    # Where each goes, by name.
    outputs: dict[str, Output] = field(default_factory=dict)
    # Machines and time; of a pipeline, the compute of those nodes that name none.
    demands: Demands = field(default_factory=Demands)
    # Where outputs go that have no path of their own.
    datastore: str = "workspaceblobstore"
    environment: dict[str, str] = field(default_factory=dict)
    # Names of the sibling nodes whose outputs it reads.
    after: frozenset[str] = frozenset()
    # The nodes of a pipeline, empty for a command.
    nodes: list[Node] = field(default_factory=list)
    # Whether a failed node lets its siblings go on.
    goes_on: bool = False

    @property
    def is_pipeline(self) -> bool:
        """Whether it holds nodes rather than a command."""
        return "jobs" in self.component.spec

    @property
    def where(self) -> str:
        """What it is called in messages."""
        return f"Node {self.name!r}"

    def input_type(self, name: str) -> str:
        """Declared type of an input."""
        return str(self.component.inputs.get(name, {}).get("type", "string")).lower()

    def type_inputs(self) -> None:
        """Make assets of addresses that came as text, as some nodes of the SDK have them."""
        for name, value in self.inputs.items():
            if isinstance(value, str) and self.input_type(name) in ASSET_TYPES:
                self.inputs[name] = Asset(value)

    def commands(self) -> Iterator[Node]:
        """The commands in it, itself included."""
        if not self.is_pipeline:
            yield self
        for node in self.nodes:
            yield from node.commands()

    def everything(self) -> Iterator[Node]:
        """Itself and all nodes below it."""
        yield self
        for node in self.nodes:
            yield from node.everything()


def output(node: Node, key: str, spec: Json, given: Json) -> Output:
    """An output of a node: the place that the caller chose, else one of its own.

    Args:
        node: which writes it.
        key: its name.
        spec: how it is declared.
        given: what the caller says of it, in the spelling of components or of ARM.

    Raises:
        ArmError: 400 for a mode or an expression that there is not.
    """
    kind = str(spec.get("type") or "uri_folder")
    where = f"Output {key!r} of {node.where.lower()}"
    path = str(given.get("uri") or given.get("path") or "")
    own = output_uri(node.run_id, key, datastore=node.datastore)
    own = own.removesuffix("/") if kind == "uri_file" else own
    resolved = output_path(path, where, name=node.run_id, output=key, datastore=node.datastore)
    version = given.get("assetVersion") or given.get("version")
    return Output(
        resolved or own,
        kind=kind,
        mode=mode(given.get("mode") or spec.get("mode"), where),
        name=given.get("assetName") or given.get("name"),
        version=None if version is None else str(version),
        path=path,
    )
