"""``python -m tests.fuzz``: thousands of requests drawn from Azure's published contract.

No answer may be a 5xx but 501, and every error is in ARM's envelope.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.fuzz.drawn import run
from tests.fuzz.service import careful


def main() -> int:
    """Send the requests; returns 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    statuses: Counter[int] = Counter()
    wrong: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="azureml-fuzz-") as folder, careful(Path(folder)) as service:
        for operation, status, problem in run(service, given.requests, given.seed):
            statuses[status] += 1
            if problem and operation not in wrong:
                wrong[operation] = problem
                print(f"{operation} {problem}", flush=True)
    told = ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items()))
    print(f"{statuses.total()} requests with seed {given.seed}: {told}")
    print(f"{len(wrong)} operations answered wrongly.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
