# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Stands in for the API servers of a namespace with very many ConfigMaps, for what is measured in our own process: a
real server of the lab would need many minutes to be filled with them.

It answers discovery of ConfigMaps, lists COUNT of them in pages with what a server adds, and gives back what is
created as a server would. Run by ``python api_server.py COUNT`` in a process of its own; it prints its port.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAMESPACE = "large"
TEXT = "".join(chr(97 + number * 7 % 26) for number in range(1200))
"""As little alike as configuration is."""


def config_map(number: int) -> dict[str, Any]:
    text = "".join(
        f"{(number * 31 + place * 17) % 9973:04d} {TEXT[place * 8 : place * 8 + 8]}\n" for place in range(80)
    )
    manager = {
        "manager": "kubectl-create",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-01-01T00:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:data": {".": {}, "f:number": {}, "f:text": {}},
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        },
    }
    return {
        "metadata": {
            "name": f"settings-{number:06}",
            "namespace": NAMESPACE,
            "uid": f"00000000-0000-0000-0000-{number:012}",
            "resourceVersion": str(number + 1000),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "benchmark"},
            "managedFields": [manager],
        },
        "data": {"number": str(number), "text": text},
    }


class Answers(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    """Head and body leave together, else each answer would wait for the client's delayed acknowledgement."""
    count = 0

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        query = parse_qs(place.query)
        if place.path == "/version":
            self._say(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
        elif place.path == "/api":
            self._say(200, {"kind": "APIVersions", "versions": ["v1"]})
        elif place.path == "/apis":
            self._say(200, {"kind": "APIGroupList", "groups": []})
        elif place.path == "/api/v1":
            verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
            kind = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": verbs}
            self._say(200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": [kind]})
        elif place.path == f"/api/v1/namespaces/{NAMESPACE}/configmaps":
            start = int(query.get("continue", ["0"])[0])
            end = min(self.count, start + int(query.get("limit", ["500"])[0]))
            metadata = {"resourceVersion": "1", **({"continue": str(end)} if end < self.count else {})}
            items = [config_map(number) for number in range(start, end)]
            self._say(200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items})
        elif place.path.endswith("/configmaps"):
            self._say(
                200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}
            )
        else:
            self._say(404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})

    def do_POST(self) -> None:
        made = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        made["metadata"] |= {"uid": "1", "resourceVersion": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}
        self._say(201, made)

    def _say(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


def main() -> None:
    """Serve until the process is ended."""
    Answers.count = int(sys.argv[1])
    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
