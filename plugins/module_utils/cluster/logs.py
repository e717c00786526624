# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The log of a container as lines; a followed log goes on where its connection broke and repeats no line.

Lines are asked for with their timestamps, which tell where to go on; callers get them without.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any

from .backoff import Backoff
from .failures import failure_of
from .libraries import require_urllib3
from .resource_types import BUILT_IN
from .transport import Call, Transport
from .watch import lines_of

_POD = BUILT_IN["v1", "Pod"]
_SILENCE_SECONDS = 300.0


def read_log(
    transport: Transport,
    namespace: str,
    pod: str,
    *,
    container: str | None = None,
    follow: bool = False,
    since_time: str | None = None,
    tail_lines: int | None = None,
    timeout: float | None = None,
) -> Generator[str, None, None]:
    """Lines without their ends. A followed log ends when the container does, or silently after ``timeout`` seconds.

    ``since_time`` is RFC 3339 and inclusive to the second. Bytes that are not UTF-8 are replaced.
    """
    query: dict[str, Any] = {"timestamps": "true"}
    if container:
        query["container"] = container
    if follow:
        query["follow"] = "true"
    if since_time:
        query["sinceTime"] = since_time
    if tail_lines is not None:
        query["tailLines"] = tail_lines
    return _Log(transport, namespace, pod, query=query, timeout=timeout).lines()


class _Log:
    """One reading of a log: what to ask for next, and where the last line stood."""

    def __init__(
        self, transport: Transport, namespace: str, pod: str, *, query: dict[str, Any], timeout: float | None
    ) -> None:
        self._transport = transport
        self._path = _POD.path(namespace, pod, "log")
        self._subject = f"Pod {namespace}/{pod}"
        self._query = query
        self._end = None if timeout is None else time.monotonic() + timeout
        self._stamp = ""
        self._count = 0
        """Lines told so far with the last timestamp."""

    def lines(self) -> Generator[str, None, None]:
        library = require_urllib3()
        backoff = Backoff(self._transport.deadline)
        while not self._over():
            stamp, count = self._stamp, self._count
            response = self._open()
            try:
                yield from self._read(response)
                return
            except library.exceptions.HTTPError as error:
                if self._over():
                    return
                if (stamp, count) != (self._stamp, self._count):
                    backoff = Backoff(self._transport.deadline)
                silent = isinstance(error, library.exceptions.ReadTimeoutError) and "follow" in self._query
                if not silent and not backoff.pause():
                    failure = failure_of(error, proxied=self._transport.login.proxy is not None)
                    raise self._transport.failed(failure) from error
            finally:
                response.close()
            if self._stamp:
                self._query["sinceTime"] = f"{self._stamp[:19]}Z"
                self._query.pop("tailLines", None)

    def _open(self) -> Any:
        container = self._query.get("container")
        call = Call(
            method="GET",
            path=self._path,
            subject=self._subject,
            attempt=f"read the log of container {container}" if container else "read the log",
            query=self._query,
            accept="*/*",
        )
        left = _SILENCE_SECONDS if self._end is None else self._end - time.monotonic()
        return self._transport.open(call, silence=max(0.1, min(_SILENCE_SECONDS, left)))

    def _read(self, response: Any) -> Iterator[str]:
        """The lines that have not been told yet."""
        skip = self._count
        resumed_at = self._stamp
        for line in lines_of(response):
            stamp, _space, text = line.decode("utf-8", "replace").partition(" ")
            if stamp < resumed_at:
                continue
            if stamp == resumed_at and skip:
                skip -= 1
                continue
            self._count = self._count + 1 if stamp == self._stamp else 1
            self._stamp = stamp
            yield text.removesuffix("\r")
            if self._over():
                return

    def _over(self) -> bool:
        return self._end is not None and time.monotonic() >= self._end
