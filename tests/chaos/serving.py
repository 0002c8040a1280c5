"""A deployment's process without a model: healthy at once, and one sentence as its answer to every question."""

from __future__ import annotations

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """GET tells that it lives, POST answers."""

    def do_GET(self) -> None:
        """Healthy."""
        self._answer({"status": "healthy"})

    def do_POST(self) -> None:
        """One sentence, whatever is asked."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer({"output": "A tuned model would say more."})

    def log_message(self, *_: object) -> None:
        """Say nothing of requests."""

    def _answer(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model-dir", required=True)
    parser.add_argument("--port", type=int, required=True)
    told = parser.parse_args()
    print("serving", flush=True)
    ThreadingHTTPServer(("127.0.0.1", told.port), Handler).serve_forever()
