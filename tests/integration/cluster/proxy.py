# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An HTTP proxy that wants a user and password, for connections that have to go through one."""

from __future__ import annotations

import base64
import contextlib
import http.server
import select
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

USER, PASSWORD = "ann", "planted-proxy-secret"


class _Handler(http.server.BaseHTTPRequestHandler):
    tunnels: list[str]

    def do_CONNECT(self) -> None:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Proxy-Authorization") != f"Basic {expected}":
            self.send_error(407, "Proxy Authentication Required")
            return
        self.tunnels.append(self.path)
        target = urlsplit(f"//{self.path}")
        with socket.create_connection((target.hostname or "", target.port or 443)) as upstream:
            self.send_response(200)
            self.end_headers()
            pair = {self.connection: upstream, upstream: self.connection}
            with contextlib.suppress(OSError):
                while True:
                    for origin in select.select(list(pair), [], [])[0]:
                        data = origin.recv(65536)
                        if not data:
                            return
                        pair[origin].sendall(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def proxy_server() -> Iterator[tuple[str, list[str]]]:
    """The proxy's address, and the targets to which it has opened tunnels so far."""
    tunnels: list[str] = []
    handler = type("Handler", (_Handler,), {"tunnels": tunnels})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", tunnels
        server.shutdown()
