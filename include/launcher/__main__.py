"""``python -m include.launcher up|down|run``."""

from __future__ import annotations

import sys

from include.launcher.cli import main

if __name__ == "__main__":
    sys.exit(main())
