"""A deployment's process without a model, for tests of the front door: quick, and naughty on request."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """GET / tells that it lives; POST /score echoes, sleeps, fails or dies as the body says."""

    def do_GET(self) -> None:
        """Healthy."""
        self._answer(200, {"status": "healthy"})

    def do_POST(self) -> None:
        """Do what the body says."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(asked.get("sleep", 0))
        if asked.get("die"):
            os._exit(3)
        self._answer(asked.get("status", 200), {"echo": asked, "name": os.environ.get("NAME")})

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    told = parser.parse_args()
    print("loading", sorted(path.name for path in told.model_dir.iterdir()), flush=True)
    if os.environ.get("CRASH"):
        sys.exit("there is no such layer in the model")
    time.sleep(float(os.environ.get("LOAD_SECONDS", "0")))
    gate = os.environ.get("GATE")
    while gate and not Path(gate).exists():
        time.sleep(0.05)
    ThreadingHTTPServer(("127.0.0.1", told.port), Handler).serve_forever()
