# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast objects are created: ours, bare POSTs from as many threads, and ``kubectl create -f``.

Run by ``PYTHONPATH=tests:.build/live python tests/benchmarks/objects_create.py [COUNT] [THREADS]`` on the running lab
(or on the user's own clusters, see lab/targets.py). Ours compares every answer with what was sent; the others do not.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import apply_all, preview
from ansible_collections.openmig.mtc.plugins.module_utils.objects.collect import collect
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from lab.targets import targets

Manifest = dict[str, Any]


def config_maps(namespace: str, count: int) -> list[Manifest]:
    """A kilobyte each."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"settings-{number:05}", "namespace": namespace, "labels": {"app": "benchmark"}},
            "data": {"number": str(number), "text": "x" * 1000},
        }
        for number in range(count)
    ]


@contextmanager
def namespace_on(cluster: Cluster) -> Iterator[str]:
    name = f"objects-bench-{secrets.token_hex(3)}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        cluster.delete("v1", "Namespace", name)
        while cluster.get("v1", "Namespace", name):
            time.sleep(0.5)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def bare_posts(kubeconfig: Path, objects: list[Manifest], threads: int) -> float:
    """The bodies are encoded beforehand; every thread has one connection."""
    loaded = yaml.safe_load(kubeconfig.read_text())
    server, user = loaded["clusters"][0]["cluster"], loaded["users"][0]["user"]
    bodies = iter([json.dumps(obj).encode() for obj in objects])
    path = f"/api/v1/namespaces/{objects[0]['metadata']['namespace']}/configmaps"
    lock = threading.Lock()
    with tempfile.TemporaryDirectory() as folder:
        files = [_file(folder, name, holder) for name, holder in (("ca", server), ("cert", user), ("key", user))]
        pool = urllib3.PoolManager(
            maxsize=threads, block=True, ca_certs=files[0], cert_file=files[1], key_file=files[2]
        )

        def work() -> None:
            while True:
                with lock:
                    body = next(bodies, None)
                if body is None:
                    return
                headers = {"Content-Type": "application/json"}
                answer = pool.request("POST", server["server"] + path, body=body, headers=headers)
                if answer.status != 201:
                    raise RuntimeError(answer.data.decode())

        workers = [threading.Thread(target=work) for _thread in range(threads)]

        def run() -> None:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()

        return timed(run)


def _file(folder: str, name: str, holder: dict[str, Any]) -> str:
    """A certificate or key as a file, wherever the kubeconfig keeps it."""
    import base64

    keys = {"ca": "certificate-authority", "cert": "client-certificate", "key": "client-key"}
    if keys[name] in holder:
        return str(holder[keys[name]])
    path = Path(folder) / name
    path.write_bytes(base64.b64decode(holder[f"{keys[name]}-data"]))
    return str(path)


def kubectl_create(kubeconfig: Path, objects: list[Manifest]) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, file)
        file.flush()
        command = ["kubectl", f"--kubeconfig={kubeconfig}", "create", "-f", file.name]
        return timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def main() -> None:
    count, threads = (int(value) for value in (*sys.argv[1:], *("2000", "16")[len(sys.argv) - 1 :]))
    chosen = targets()
    source = connect({"kubeconfig": str(chosen.source)}, name="source", environ={})
    destination = connect({"kubeconfig": str(chosen.destination)}, name="destination", environ={})
    rows: list[tuple[str, float]] = []
    with namespace_on(destination) as namespace:
        rows.append(("bare POSTs", bare_posts(chosen.destination, config_maps(namespace, count), threads)))
    with namespace_on(destination) as namespace:
        rows.append(("kubectl create -f", kubectl_create(chosen.destination, config_maps(namespace, count))))
    with namespace_on(source) as namespace, namespace_on(destination) as there:
        bare_posts(chosen.source, config_maps(namespace, count), threads)
        context = TransformContext(namespace_mapping={namespace: there}, migplan_uid="plan", migmigration_uid="run")
        found: list[Manifest] = []
        rows.append(("ours: collect", timed(lambda: found.extend(collect(source, namespaces=[namespace])))))
        sent: list[Manifest] = []
        rows.append(
            (
                "ours: transform",
                timed(lambda: sent.extend(obj for item in found if (obj := transform(item, context).object))),
            )
        )
        rows.append(("ours: preview", timed(lambda: preview(destination, sent))))

        def ours() -> None:
            report = apply_all(destination, sent, migplan_uid="plan", migmigration_uid="run", concurrency=threads)
            if report.differences or len(report.created) < count:
                raise RuntimeError(f"{len(report.created)} created, {report.differences[:3]}")

        rows.append(("ours: apply and compare", timed(ours)))
        rows.append(
            (
                "ours: apply again (all there)",
                timed(lambda: apply_all(destination, sent, migplan_uid="plan", migmigration_uid="run")),
            )
        )
    for name, seconds in rows:
        print(f"{name:32} {seconds:8.2f} s {count / seconds:10.0f}/s")


if __name__ == "__main__":
    main()
