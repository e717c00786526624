# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A TCP relay in front of an API server, which breaks connections in ways that a test chooses.

TLS passes through it untouched, so it can swallow an answer but not change one: the server has carried a request out,
and the client never hears of it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_PIECE = 65536


class Relay:
    """Listens on ``port`` of the loopback address and passes bytes on to ``(host, port)`` of the server."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._swallowing = threading.Event()
        self._away = threading.Event()
        self.connections = 0
        self.refused = 0
        self.swallowed = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """Break every connection that is open now; returns how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _break(*pair)
        return len(pairs)

    def go_away(self, seconds: float) -> None:
        """Break every connection, and every one that is made within so many seconds from now."""
        self._away.set()
        threading.Timer(seconds, self._away.clear).start()
        self.cut()

    def swallow_next_answer(self) -> None:
        """The next bytes from the server break their connection instead of arriving."""
        self._swallowing.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
                if self._away.is_set():
                    self.refused += 1
                    _break(client)
                    continue
                server = socket.create_connection(self._upstream, timeout=5)
            except OSError:
                return
            server.settimeout(None)
            with self._lock:
                self.connections += 1
                self._pairs.append((client, server))
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, origin: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while data := origin.recv(_PIECE):
                if answers and self._swallowing.is_set():
                    self._swallowing.clear()
                    self.swallowed += 1
                    break
                target.sendall(data)
        _break(origin, target)


def _break(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextlib.contextmanager
def relay_to(host: str, port: int) -> Iterator[Relay]:
    relay = Relay(host, port)
    try:
        yield relay
    finally:
        relay.close()
