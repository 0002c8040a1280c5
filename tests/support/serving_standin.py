"""A deployment's process without a model: up at once, and naughty on request."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    """GET / tells that it lives; POST /score answers, sleeps, fails or dies as the body says."""

    def do_GET(self) -> None:
        """Healthy."""
        self._answer(200, {"status": "healthy"})

    def do_POST(self) -> None:
        """Do what the body says."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(body.get("sleep", 0))
        if body.get("die"):
            os._exit(3)
        answer = {"echo": body, "name": os.environ.get("NAME"), "output": "A tuned model would say more."}
        self._answer(body.get("status", 200), answer)

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
    options = parser.parse_args()
    print("loading", sorted(path.name for path in options.model_dir.iterdir()), flush=True)
    if os.environ.get("CRASH"):
        sys.exit("there is no such layer in the model")
    time.sleep(float(os.environ.get("LOAD_SECONDS", "0")))
    gate = os.environ.get("GATE")
    while gate and not Path(gate).exists():
        time.sleep(0.05)
    ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()
