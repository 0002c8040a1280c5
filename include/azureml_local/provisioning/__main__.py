"""``python -m azureml_local.provisioning`` makes what jobs and deployments need, and says what it does."""

from __future__ import annotations

import functools
import signal
import sys

from azureml_local.provisioning import everything
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import Settings


def main() -> int:
    """Make what is missing; the last line of the output says why it failed, if it did."""
    # So that what is half made is removed also when the service ends meanwhile.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        say = functools.partial(print, flush=True)
        everything.make(Settings.from_environment(), say, with_standin="--standin" in sys.argv[1:])
    except ProvisioningError as error:
        print(error, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
