"""``python -m azureml_local`` is the command ``azureml-local``; without a subcommand it is ``up``."""

import sys

from azureml_local.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["up"]))
