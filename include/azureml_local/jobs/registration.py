"""Named outputs: what a node wrote becomes a data asset or a model when the node has succeeded."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets import data, models
from azureml_local.assets.noun import Noun, check_name, version_of
from azureml_local.assets.rules import Assets
from azureml_local.jobs.history import History
from azureml_local.jobs.nodes import Node, Output
from azureml_local.storage.uris import Uris


class Registrar:
    """Registers outputs under the names that a job gives them."""

    def __init__(self, assets: Assets, history: History, uris: Uris) -> None:
        self._assets, self._history, self._uris = assets, history, uris

    def check(self, node: Node) -> None:
        """Refuse, before anything runs, names that are not valid and versions that exist.

        Raises:
            ArmError: 400 for such a name; 409 for such a version.
        """
        for output in node.outputs.values():
            if not output.name:
                continue
            noun = _noun(output)
            check_name(noun.what, output.name, output.version or "1")
            known = {version_of(one) for one in self._assets.versions(noun.plural, output.name)}
            if output.version in known:
                raise ArmError(
                    409,
                    "UserError",
                    f"{noun.what} {output.name}:{output.version} exists already: give the output another version, "
                    "or none for the next one.",
                    target=output.name,
                )

    def register(self, node: Node) -> None:
        """Make the assets of a node that has succeeded, and write their versions into its run.

        Raises:
            ArmError: 400 if an output is not what its type says; 409 if its version has been made meanwhile.
        """
        versions = {key: self._put(node, it) for key, it in node.outputs.items() if it.name}
        if versions:
            written = self._history.get(node.run_id)["outputs"]
            for key, version in versions.items():
                written[key] |= {"assetName": node.outputs[key].name, "assetVersion": version}
            self._history.update(node.run_id, outputs=written)

    def _put(self, node: Node, output: Output) -> str:
        noun, name = _noun(output), str(output.name)
        if not self._uris.resolve(output.uri).exists():
            raise ArmError(
                400, "UserError", f"Nothing was written to the output that is to be {name!r}.", target=name
            )
        known = self._assets.versions(noun.plural, name)
        place = self._uris.canonical(output.uri).rstrip("/")
        for one in known:
            # A step's output and that of its pipeline are one place, and one version.
            if output.version in (None, version_of(one)) and _address(one["properties"]).rstrip("/") == place:
                return version_of(one)
        version = output.version or noun.next_version(known)
        self._assets.put_version(noun, name, version, _properties(node, output))
        return version


def _noun(output: Output) -> Noun:
    return models.NOUN if output.kind in models.TYPES else data.NOUN


def _address(properties: Json) -> str:
    return str(properties.get("dataUri") or properties.get("modelUri"))


def _properties(node: Node, output: Output) -> Json:
    if output.kind in models.TYPES:
        return {"modelUri": output.uri, "modelType": output.kind, "jobName": node.run_id}
    return {"dataUri": output.uri, "dataType": output.kind}
