"""Environments of deployments: nothing is built here, but what could not be built is refused as Azure does.

The processes run in the compute environment. What is checked is what breaks an image build before anything is
downloaded: the image's name, the Dockerfile, the conda file and the requirements in it.
"""

from __future__ import annotations

import re
from typing import Any

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.engine.store import Store
from azureml_local.storage.uris import Uris

_ID = re.compile(r".*/environments/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$")
_SHORT = re.compile(r"azureml:(?P<name>[^/:@]+):(?P<version>[^/]+)$")
_IMAGE = re.compile(
    r"[a-z0-9][\w.\-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._\-]*)*(?::[\w][\w.\-]*)?(?:@sha256:[0-9a-f]{64})?"
)


class ImageBuildError(Exception):
    """The image of an environment cannot be built; the message is the line that the build ends with."""


class Images:
    """Finds environments, and checks them as a build would."""

    def __init__(self, store: Store, uris: Uris) -> None:
        self._store, self._uris = store, uris

    def environment(self, environment_id: str | None) -> Json | None:
        """Properties of an environment of the workspace; None for none, and for those of registries.

        Raises:
            ArmError: 400 if the workspace has no such environment.
        """
        if not environment_id or environment_id.startswith("azureml://registries/"):
            return None
        match = _ID.match(environment_id) or _SHORT.match(environment_id)
        document = self._store.get("environments", f"{match['name']}/{match['version']}") if match else None
        if document is None:
            raise ArmError(
                400,
                "BadArgument",
                f"Environment {environment_id!r} was not found in the workspace.",
                target="environmentId",
            )
        properties: Json = document["properties"]
        return properties

    def build(self, environment_id: str | None) -> list[str]:
        """Check an environment as a build would; returns the lines of its log.

        Raises:
            ArmError: 400 if the workspace has no such environment.
            ImageBuildError: if no image can come of it.
        """
        environment = self.environment(environment_id)
        named = environment_id or "of the model"
        lines = [f"Environment {named}: its processes run in the compute environment."]
        if environment is None:
            return lines
        if environment.get("build"):
            lines.append(self._dockerfile(environment["build"]))
        elif not _IMAGE.fullmatch(str(environment.get("image"))):
            raise ImageBuildError(
                f"invalid reference format: {environment.get('image')!r} is no name of an image"
            )
        if environment.get("condaFile"):
            lines += [f"requires {one}" for one in _requirements(environment["condaFile"])]
        return lines

    def _dockerfile(self, build: Json) -> str:
        name = build.get("dockerfilePath") or "Dockerfile"
        # The first thing that a build reads, and all of it that can be checked without one.
        file = self._uris.resolve(build["contextUri"]) / name
        if not file.is_file():
            raise ImageBuildError(f"failed to read dockerfile: {name}: no such file in the build context")
        lines = file.read_text().splitlines()
        steps = [line.split()[0].upper() for line in lines if line.strip() and line[0] != "#"]
        if "FROM" not in steps:
            raise ImageBuildError(
                f"dockerfile parse error: {name} has no build stage, a line that starts with FROM"
            )
        return f"{name}: {len(steps)} steps"


def _requirements(text: str) -> list[str]:
    """The packages of a conda file."""
    import yaml

    try:
        spec: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ImageBuildError(f"CondaValueError: the conda file is no YAML: {error}") from error
    listed = spec.get("dependencies") if isinstance(spec, dict) else None
    if not isinstance(listed, list):
        raise ImageBuildError("CondaValueError: the conda file has no list 'dependencies'")
    packages: list[str] = []
    for one in listed:
        if isinstance(one, dict):
            packages += [_pip(str(line)) for line in one.get("pip") or []]
        else:
            packages.append(str(one))
    return packages


def _pip(line: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    if not line.startswith("-"):
        try:
            Requirement(line)
        except InvalidRequirement as error:
            raise ImageBuildError(f"ERROR: Invalid requirement: {line!r}: {error}") from error
    return line
