"""Environments of deployments: nothing is built here, but what could not be built is refused as Azure does.

The processes run in the compute environment. What is checked is what breaks an image build before anything is
downloaded: the image's name, the Dockerfile, the conda file and the requirements in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.storage import uris

if TYPE_CHECKING:
    from azureml_local.service import Service

_ID = re.compile(r".*/environments/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$")
_SHORT = re.compile(r"azureml:(?P<name>[^/:@]+):(?P<version>[^/]+)$")
_IMAGE = re.compile(
    r"[a-z0-9][\w.\-]*(?::\d+)?(?:/[a-z0-9][a-z0-9._\-]*)*(?::[\w][\w.\-]*)?(?:@sha256:[0-9a-f]{64})?"
)


class ImageBuildError(Exception):
    """The image of an environment cannot be built; the message is the line that the build ends with."""


def environment(local: Service, environment_id: str | None) -> Json | None:
    """Properties of an environment of the workspace; None for none, and for those of registries.

    Raises:
        ArmError: 400 if the workspace has no such environment.
    """
    if not environment_id or environment_id.startswith("azureml://registries/"):
        return None
    found = _ID.match(environment_id) or _SHORT.match(environment_id)
    document = local.store.get("environments", f"{found['name']}/{found['version']}") if found else None
    if document is None:
        raise ArmError(
            400,
            "BadArgument",
            f"Environment {environment_id!r} was not found in the workspace.",
            target="environmentId",
        )
    properties: Json = document["properties"]
    return properties


def build(local: Service, environment_id: str | None) -> list[str]:
    """Check an environment as a build would; returns the lines of its log.

    Raises:
        ArmError: 400 if the workspace has no such environment.
        ImageBuildError: if no image can come of it.
    """
    told = environment(local, environment_id)
    lines = [f"Environment {environment_id or 'of the model'}: its processes run in the compute environment."]
    if told is None:
        return lines
    if told.get("build"):
        lines.append(_dockerfile(local, told["build"]))
    elif not _IMAGE.fullmatch(str(told.get("image"))):
        raise ImageBuildError(f"invalid reference format: {told.get('image')!r} is no name of an image")
    if told.get("condaFile"):
        lines += [f"requires {one}" for one in _requirements(told["condaFile"])]
    return lines


def _dockerfile(local: Service, told: Json) -> str:
    name = told.get("dockerfilePath") or "Dockerfile"
    file = uris.resolve(local, told["contextUri"]) / name
    if not file.is_file():
        raise ImageBuildError(f"failed to read dockerfile: {name}: no such file in the build context")
    steps = [
        line.split()[0].upper() for line in file.read_text().splitlines() if line.strip() and line[0] != "#"
    ]
    if "FROM" not in steps:
        raise ImageBuildError(
            f"dockerfile parse error: {name} has no build stage, a line that starts with FROM"
        )
    return f"{name}: {len(steps)} steps"


def _requirements(text: str) -> list[str]:
    """What a conda file asks for."""
    import yaml

    try:
        told: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ImageBuildError(f"CondaValueError: the conda file is no YAML: {error}") from error
    listed = told.get("dependencies") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise ImageBuildError("CondaValueError: the conda file has no list 'dependencies'")
    found: list[str] = []
    for one in listed:
        if isinstance(one, dict):
            found += [_pip(str(line)) for line in one.get("pip") or []]
        else:
            found.append(str(one))
    return found


def _pip(line: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    if not line.startswith("-"):
        try:
            Requirement(line)
        except InvalidRequirement as error:
            raise ImageBuildError(f"ERROR: Invalid requirement: {line!r}: {error}") from error
    return line
