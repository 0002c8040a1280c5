"""``python -m azureml_local.sample --out DIR`` writes the sample data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from azureml_local.sample.splits import SIZES, write


def main() -> None:
    """Parse the command line, write the files, name them."""
    parser = argparse.ArgumentParser(description="Write the sample conversations as parquet files.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set; made if missing")
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same files")
    args = parser.parse_args()
    for name, path in write(args.out, args.seed).items():
        print(f"{name}: {SIZES[name]} conversations -> {path}", flush=True)


if __name__ == "__main__":
    main()
