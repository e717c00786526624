# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The log of a container as lines; a followed log goes on where its connection broke, without losing or repeating lines.

Lines are asked for with their timestamps, which tell where to go on; callers get them without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
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
) -> Iterator[str]:
    """Lines without their ends. A followed log ends when the container does, or silently after ``timeout`` seconds.

    ``since_time`` is RFC 3339 and inclusive to the second. Bytes that are not UTF-8 are replaced.
    """
    end = None if timeout is None else time.monotonic() + timeout
    query: dict[str, Any] = {"timestamps": "true"}
    if container:
        query["container"] = container
    if follow:
        query["follow"] = "true"
    if since_time:
        query["sinceTime"] = since_time
    if tail_lines is not None:
        query["tailLines"] = tail_lines
    last, repeats = "", 0
    backoff = Backoff(transport.deadline)
    library = require_urllib3()
    while True:
        silence = _SILENCE_SECONDS if end is None else max(0.1, min(_SILENCE_SECONDS, end - time.monotonic()))
        call = Call(
            method="GET",
            path=_POD.path(namespace, pod, "log"),
            subject=f"Pod {namespace}/{pod}",
            attempt=f"read the log of container {container}" if container else "read the log",
            query=query,
            accept="*/*",
        )
        response = transport.open(call, silence=silence)
        skip = repeats
        try:
            for line in lines_of(response):
                stamp, _, text = line.decode("utf-8", "replace").partition(" ")
                if stamp < last:
                    continue
                if stamp == last and skip:
                    skip -= 1
                    continue
                repeats = repeats + 1 if stamp == last else 1
                last = stamp
                backoff = Backoff(transport.deadline)
                yield text.removesuffix("\r")
                if end is not None and time.monotonic() >= end:
                    return
            return
        except library.exceptions.HTTPError as error:
            if end is not None and time.monotonic() >= end:
                return
            failure = failure_of(error, proxied=transport.login.proxy is not None)
            silent = type(error).__name__ == "ReadTimeoutError" and follow
            if not silent and not backoff.pause():
                raise transport.failed(failure) from error
        finally:
            response.close()
        if last:
            query["sinceTime"] = f"{last[:19]}Z"
            query.pop("tailLines", None)
