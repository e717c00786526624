# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How fast objects are created: ours, bare POSTs from 16 threads, and ``kubectl create -f``, in turns within one run.

2 000 ConfigMaps of a kilobyte and 500 objects of other kinds. Ours compares every answer with what was sent; the others
do not. kubectl is the lab's own (elsewhere the one that is installed) and is given one list in JSON, its fastest form.
Run by ``PYTHONPATH=tests:.build/live python tests/benchmarks/objects_create.py [ROUNDS]`` on the running lab, which
should be quiet. The wish, in each round: at least 3 times kubectl and 0.6 of the bare POSTs at 0 ms, and 400 objects a
second when the API server is 20 ms away (a way of its own through the lab's proxy; not on other clusters).
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import urllib3
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import apply_all
from ansible_collections.openmig.mtc.plugins.module_utils.objects.inventory import reference
from lab import faults
from lab.paths import Paths
from lab.status import kubectl_command
from lab.targets import targets
from lab.topology import API_PORT, CLUSTERS, HOST_IP

Manifest = dict[str, Any]

CONFIG_MAPS = 2000
MIXED = 50
"""Objects of each of the kinds of ``mixed``."""
THREADS = 16
ROUNDS = 3
MILLISECONDS = 20
FAR = f"{MILLISECONDS} ms away"
RBAC = "rbac.authorization.k8s.io"


def named(api_version: str, kind: str, name: str, namespace: str, **body: Any) -> Manifest:
    metadata = {"name": name, "namespace": namespace, "labels": {"app": "benchmark"}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def config_maps(namespace: str) -> Iterator[Manifest]:
    """A kilobyte each."""
    for number in range(CONFIG_MAPS):
        data = {"number": str(number), "text": "x" * 1000}
        yield named("v1", "ConfigMap", f"settings-{number:05}", namespace, data=data)


def mixed(namespace: str) -> Iterator[Manifest]:
    """Ten kinds, in an order in which they can be created one by one. Nothing of it runs."""
    labels = {"app": "benchmark"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}}}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "reader-0"}
    subjects = [{"kind": "ServiceAccount", "name": "account-0", "namespace": namespace}]
    budget = {"minAvailable": 1, "selector": {"matchLabels": labels}}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    backend = {"service": {"name": "service-0", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    kinds: Sequence[tuple[str, str, str, Mapping[str, Any]]] = (
        ("v1", "ServiceAccount", "account", {}),
        ("v1", "Secret", "secret", {"type": "Opaque", "data": {"password": base64.b64encode(b"x" * 200).decode()}}),
        (f"{RBAC}/v1", "Role", "reader", {"rules": rules}),
        (f"{RBAC}/v1", "RoleBinding", "readers", {"roleRef": role, "subjects": subjects}),
        ("v1", "Service", "service", {"spec": {"clusterIP": "None", "selector": labels, "ports": [{"port": 80}]}}),
        ("networking.k8s.io/v1", "NetworkPolicy", "wall", {"spec": {"podSelector": {"matchLabels": labels}}}),
        ("policy/v1", "PodDisruptionBudget", "budget", {"spec": budget}),
        (
            "apps/v1",
            "Deployment",
            "web",
            {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}},
        ),
        (
            "batch/v1",
            "CronJob",
            "nightly",
            {"spec": {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": job}}},
        ),
        (
            "networking.k8s.io/v1",
            "Ingress",
            "front",
            {"spec": {"rules": [{"host": "a.example.com", "http": {"paths": paths}}]}},
        ),
    )
    for api_version, kind, name, body in kinds:
        for number in range(MIXED):
            yield named(api_version, kind, f"{name}-{number}", namespace, **body)


def objects(namespace: str) -> list[Manifest]:
    return [*mixed(namespace), *config_maps(namespace)]


@contextmanager
def namespace_on(cluster: Cluster) -> Iterator[str]:
    """A namespace that its own account stands in; its removal is awaited, so that it is over before the next begins."""
    name = f"objects-bench-{secrets.token_hex(3)}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        while cluster.get("v1", "ServiceAccount", "default", name) is None:
            time.sleep(0.1)
        yield name
    finally:
        cluster.delete("v1", "Namespace", name)
        while cluster.get("v1", "Namespace", name):
            time.sleep(0.5)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


class Bare:
    """POSTs of bodies that are encoded beforehand; every thread has a connection."""

    def __init__(self, kubeconfig: Path, folder: str) -> None:
        loaded = yaml.safe_load(kubeconfig.read_text())
        server, user = loaded["clusters"][0]["cluster"], loaded["users"][0]["user"]
        keys = {
            "ca": ("certificate-authority", server),
            "cert": ("client-certificate", user),
            "key": ("client-key", user),
        }
        files = {name: _file(folder, name, field, holder) for name, (field, holder) in keys.items()}
        self._server = str(server["server"])
        self._pool = urllib3.PoolManager(
            maxsize=THREADS, block=True, ca_certs=files["ca"], cert_file=files["cert"], key_file=files["key"]
        )

    def __call__(self, cluster: Cluster, manifests: Sequence[Manifest]) -> None:
        kinds = {(obj["apiVersion"], obj["kind"]) for obj in manifests}
        types = {kind: cluster.resource(*kind) for kind in kinds}
        requests = iter(
            [
                (types[obj["apiVersion"], obj["kind"]].path(obj["metadata"]["namespace"]), json.dumps(obj).encode())
                for obj in manifests
            ]
        )
        lock = threading.Lock()
        errors: list[str] = []

        def work() -> None:
            while True:
                with lock:
                    following = next(requests, None)
                if following is None:
                    return
                path, body = following
                headers = {"Content-Type": "application/json"}
                answer = self._pool.request("POST", self._server + path, body=body, headers=headers)
                if answer.status != 201:
                    errors.append(answer.data.decode())

        workers = [threading.Thread(target=work) for _thread in range(THREADS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if errors:
            raise SystemExit(errors[0])


def _file(folder: str, name: str, field: str, holder: Mapping[str, Any]) -> str:
    """A certificate or key as a file, wherever the kubeconfig keeps it."""
    if field in holder:
        return str(holder[field])
    path = Path(folder) / name
    path.write_bytes(base64.b64decode(holder[f"{field}-data"]))
    return str(path)


def kubectl(kubeconfig: Path, manifests: Sequence[Manifest]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": manifests}, file)
        file.flush()
        program = ["kubectl"] if targets().own else kubectl_command(Paths.from_environment())
        command = [*program, f"--kubeconfig={kubeconfig}", "create", "-f", file.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def ours(cluster: Cluster, manifests: Sequence[Manifest]) -> None:
    report = apply_all(cluster, manifests, migplan_uid="plan", migmigration_uid="run", concurrency=THREADS)
    if report.differences or len(report.created) != len(manifests):
        missing = {reference(obj) for obj in manifests} - set(report.created)
        raise SystemExit(f"{len(report.created)} created, {report.differences[:3]}, {sorted(missing)[:3]}")


@contextmanager
def far(cluster_name: str, kubeconfig: Path, folder: str) -> Iterator[Path]:
    """The same cluster at a distance, on a way that nobody else uses."""
    name = f"bench-{secrets.token_hex(3)}"
    with faults.way(name, f"{CLUSTERS[cluster_name].ip}:{API_PORT}") as port, faults.latency(name, MILLISECONDS):
        content = yaml.safe_load(kubeconfig.read_text())
        server = content["clusters"][0]["cluster"]
        server["server"] = f"https://{HOST_IP}:{port}"
        path = Path(folder) / "far.yaml"
        path.write_text(yaml.safe_dump(content))
        yield path


def one_round(destination: Cluster, kubeconfig: Path, bare: Bare, distant: Path | None) -> dict[str, float]:
    """Objects a second of each way, each in a namespace of its own; ``distant``: the kubeconfig of the long way."""
    ways: dict[str, Callable[[list[Manifest]], None]] = {
        "bare POSTs": lambda manifests: bare(destination, manifests),
        "ours": lambda manifests: ours(destination, manifests),
        "kubectl create -f": lambda manifests: kubectl(kubeconfig, manifests),
    }
    if distant is not None:
        far_away = connect({"kubeconfig": str(distant)}, name="destination", environ={})
        ways[f"ours, {FAR}"] = lambda manifests: ours(far_away, manifests)
        ways[f"kubectl create -f, {FAR}"] = lambda manifests: kubectl(distant, manifests)
    found = {}
    for name, way in ways.items():
        with namespace_on(destination) as namespace:
            manifests = objects(namespace)
            found[name] = len(manifests) / timed(lambda: way(manifests))  # noqa: B023 - called at once
    return found


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    chosen = targets()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        destination = connect({"kubeconfig": str(chosen.destination)}, name="destination", environ={})
        distant = None
        if not chosen.own:
            distant = stack.enter_context(far("destination", chosen.destination, folder))
        bare = Bare(chosen.destination, folder)
        for number in range(rounds):
            rates = one_round(destination, chosen.destination, bare, distant)
            for name, rate in rates.items():
                print(f"round {number + 1}: {name:30}{rate:8.0f} objects/s", flush=True)
            print(
                f"round {number + 1}: ours is {rates['ours'] / rates['kubectl create -f']:.1f} x kubectl, "
                f"{rates['ours'] / rates['bare POSTs']:.2f} of bare POSTs",
                flush=True,
            )


if __name__ == "__main__":
    main()
