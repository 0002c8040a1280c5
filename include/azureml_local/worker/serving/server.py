"""One deployment: loads an MLflow model folder, or runs a scoring script, and answers over HTTP on loopback.

Run as ``python server.py --model-dir DIR --port N [--scoring-script FILE]`` with the compute environment's
python.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait sleep, and leave the cores to other processes
}


def _add_own_package() -> None:
    """Make ``azureml_local`` importable without its folder on the path: an installed one has others beside it."""
    root = Path(__file__).resolve().parents[2]
    # Python puts the folder of this file there, whose modules are not the scoring script's.
    sys.path[:] = [path for path in sys.path if path != str(Path(__file__).resolve().parent)]
    spec = importlib.util.spec_from_file_location(
        "azureml_local", root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no package in {root}.")
    sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])


def main() -> None:
    """Parse the command line and serve until the process is ended."""
    parser = argparse.ArgumentParser(description="Serve one model on 127.0.0.1.")
    parser.add_argument("--model-dir", type=Path, required=True, help="folder of the MLflow model")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument(
        "--scoring-script", type=Path, help="script with init() and run(data) that answers instead"
    )
    args = parser.parse_args()
    os.environ.update({name: os.environ.get(name, value) for name, value in ENVIRONMENT.items()})
    _add_own_package()
    import uvicorn

    if args.scoring_script:
        from azureml_local.worker.serving.script import make_script_app

        app = make_script_app(args.scoring_script)
    else:
        from azureml_local.worker.serving.app import make_app

        app = make_app(args.model_dir)
    uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning")


if __name__ == "__main__":
    main()
