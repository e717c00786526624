# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Faults on the way to an API server or to the object storage.

Whoever uses a proxied kubeconfig (`targets.lab_kubeconfig(..., proxied=True)`) or the proxied S3 endpoint goes through
a TCP proxy, which changes nothing until one of the functions here is called. Every `with` removes its fault again.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lab import process
from lab.api import wait_until
from lab.command import LabError
from lab.paths import Paths
from lab.programs import Programs
from lab.topology import API_PORT, CLUSTERS, FAULTS_PORT, HOST_IP, S3_PORT, S3_PROXY_PORT

S3 = "s3"


def start(paths: Paths, programs: Programs) -> None:
    """Start the proxy and open one port per cluster and one for S3."""
    command = [str(programs.path("toxiproxy")), f"-port={FAULTS_PORT}"]
    process.start(paths, "toxiproxy", command, log=paths.log("host", "toxiproxy"))
    wait_until("the fault proxy answers", _answers, seconds=20, log=paths.log("host", "toxiproxy"))
    ways = {each.name: (each.api_proxy_port, f"{each.ip}:{API_PORT}") for each in CLUSTERS.values()}
    ways[S3] = (S3_PROXY_PORT, f"{HOST_IP}:{S3_PORT}")
    for name, (port, upstream) in ways.items():
        body = {"name": name, "listen": f"{HOST_IP}:{port}", "upstream": upstream, "enabled": True}
        _call("POST", "/proxies", body)


def add(target: str, kind: str, *, stream: str = "downstream", probability: float = 1.0, **attributes: int) -> str:
    """Add a fault on the way to `target` (a cluster's name or `s3`) and return its name for `remove`.

    `kind` and `attributes` are the proxy's: distance(latency, window), latency(latency, jitter), bandwidth(rate),
    reset_peer(timeout), limit_data(bytes), slow_close(delay), timeout(timeout), slicer(average_size, size_variation,
    delay).
    `stream` is `downstream` (answers) or `upstream` (requests); `probability` is the part of connections that it hits.
    """
    body = {"type": kind, "stream": stream, "toxicity": probability, "attributes": attributes}
    return str(_call("POST", f"/proxies/{target}/toxics", body)["name"])


def remove(target: str, name: str) -> None:
    """Remove one fault; one that is gone already is no error."""
    _call("DELETE", f"/proxies/{target}/toxics/{name}", missing_ok=True)


def clear() -> None:
    """Remove every fault and open every way again."""
    _call("POST", "/reset")


def active(target: str) -> list[dict[str, Any]]:
    """Return the faults on the way to `target`."""
    return list(_call("GET", f"/proxies/{target}/toxics"))


@contextmanager
def fault(
    target: str, kind: str, *, stream: str = "downstream", probability: float = 1.0, **attributes: int
) -> Iterator[str]:
    """Hold any fault that `add` knows while the block runs."""
    name = add(target, kind, stream=stream, probability=probability, **attributes)
    try:
        yield name
    finally:
        remove(target, name)


@contextmanager
def latency(target: str, milliseconds: int, *, window_kilobytes: int = 64) -> Iterator[None]:
    """Put both ends this far apart (half of it each way) while the block runs.

    At most one window is under way in each direction, so a long way limits throughput as it does with TCP.
    """
    half, window = max(1, milliseconds // 2), window_kilobytes * 1024
    with (
        fault(target, "distance", latency=half, window=window),
        fault(target, "distance", stream="upstream", latency=half, window=window),
    ):
        yield


@contextmanager
def bandwidth(target: str, kilobytes_per_second: int) -> Iterator[None]:
    """Limit both directions while the block runs."""
    with (
        fault(target, "bandwidth", rate=kilobytes_per_second),
        fault(target, "bandwidth", stream="upstream", rate=kilobytes_per_second),
    ):
        yield


@contextmanager
def reset(target: str, *, after_milliseconds: int = 0, probability: float = 1.0) -> Iterator[None]:
    """Reset connections that carry data while the block runs, so many milliseconds after they began to."""
    with fault(target, "reset_peer", stream="upstream", probability=probability, timeout=after_milliseconds):
        yield


@contextmanager
def cut(target: str) -> Iterator[None]:
    """Close every connection and refuse new ones while the block runs."""
    _call("POST", f"/proxies/{target}", {"enabled": False})
    try:
        yield
    finally:
        _call("POST", f"/proxies/{target}", {"enabled": True})


@contextmanager
def way(name: str, upstream: str) -> Iterator[int]:
    """Hold a way of one's own to a server and yield its port on the host's address; `name` is then a target."""
    body = {"name": name, "listen": f"{HOST_IP}:0", "upstream": upstream, "enabled": True}
    made = _call("POST", "/proxies", body)
    try:
        yield int(str(made["listen"]).rpartition(":")[2])
    finally:
        _call("DELETE", f"/proxies/{name}", missing_ok=True)


def _answers() -> bool:
    try:
        _call("GET", "/version")
    except OSError:
        return False
    except ValueError:
        return True
    return True


def _call(method: str, path: str, body: Mapping[str, Any] | None = None, *, missing_ok: bool = False) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", FAULTS_PORT, timeout=10)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status == 404 and missing_ok:
        return None
    if answer.status >= 300:
        raise LabError(f"fault proxy: {method} {path}: {answer.status} {text.decode(errors='replace').strip()}")
    return json.loads(text) if text.strip() else None
