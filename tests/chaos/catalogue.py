"""The training components of the registry, with the same inputs and outputs and a step that takes no time."""

from __future__ import annotations

from pathlib import Path

import yaml

from azureml_local.registry.catalogue import FOLDER

STEPS = Path(__file__).parent / "steps"


def write(folder: Path) -> Path:
    """Write the quick components into ``<folder>/components``, made from the real ones; returns the folder."""
    target = folder / "components"
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted((FOLDER / "components").glob("*.yaml")):
        for component in yaml.safe_load_all(file.read_text()):
            if component and component["type"] == "command":
                quick = {**component, "code": str(STEPS), "command": _command(component)}
                (target / file.name).write_text(yaml.safe_dump(quick, sort_keys=False))
    return folder


def _command(component: dict[str, object]) -> str:
    outputs = component["outputs"]
    assert isinstance(outputs, dict)
    written = " ".join(f"--{name} '${{{{outputs.{name}}}}}'" for name in outputs)
    return f"python -I -S step.py {component['name']} {written}"
