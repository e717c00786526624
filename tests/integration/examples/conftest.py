# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The world that the examples of the modules speak of, on the lab: ``~/.kube/source`` and ``~/.kube/destination``, an
application in the namespace ``shop`` of the source, one in ``archive``, and the resources in ``openmig``.

An example is run as it is written. Only what cannot be in the lab under its name is replaced; REPLACED says what.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.crds import crd_manifests
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import AlreadyExists
from integration.migration import applications
from integration.migration.applications import Manifest
from integration.migration.playbooks import Run, play
from lab.s3 import storage
from lab.targets import targets

APPLICATIONS = ("shop", "shop-new", "archive")
RESOURCES = "openmig"
GONE_WITHIN = 90
CLAIMS = {"shop": ("data", "uploads", "web-cache"), "archive": ("letters", "pictures")}
"""The volumes that examples name, or have patterns for."""
COLLECTION = "openmig.mtc."


def replaced() -> dict[str, str]:
    """What stands in the examples for things of the reader's own, and what it is in the lab."""
    return {
        "registry.example.com/openmig/mover:0.1.0": applications.IMAGE,
        "http://s3.example.com:8333": storage().endpoint,
    }


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Cluster]]:
    """Both clusters, with the home directory and the variables of the examples' reader; nothing of the examples' world
    is on them before, and nothing after."""
    files = {"source": targets().source, "destination": targets().destination}
    (tmp_path / ".kube").mkdir()
    for name, path in files.items():
        (tmp_path / ".kube" / name).symlink_to(path)
    store = storage()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STORE_ACCESS_KEY", store.access_key)
    monkeypatch.setenv("STORE_SECRET_KEY", store.secret_key)
    connected = {name: connect({"kubeconfig": str(path)}, name=name, environ={}) for name, path in files.items()}
    control = connected["destination"]
    for cluster in connected.values():
        taken = [name for name in APPLICATIONS if cluster.get("v1", "Namespace", name) is not None]
        assert taken == [], f"{cluster.name} has namespaces of the names that the examples use"
    # On the source it is the home of adopted accounts, which stays; on the destination it may be there, but empty.
    assert resources(control) == [], f"namespace {RESOURCES} of the destination is in use"
    yield connected
    for cluster in connected.values():
        for name in APPLICATIONS:
            cluster.delete("v1", "Namespace", name)
    control.delete("v1", "Namespace", RESOURCES)
    for cluster, spaces in ((connected["source"], APPLICATIONS), (control, (*APPLICATIONS, RESOURCES))):
        until = time.monotonic() + GONE_WITHIN
        while left := [name for name in spaces if cluster.get("v1", "Namespace", name) is not None]:
            assert time.monotonic() < until, f"{cluster.name}: {left} do not go"
            time.sleep(0.2)
        cluster.close()


def resources(control: Cluster) -> list[str]:
    """What of MTC's kinds is in the namespace of the examples' resources."""
    known = [kind for kind in control.types() if kind.group == names.GROUP]
    return [f"{kind.kind} {obj['metadata']['name']}" for kind, _space, obj in control.list_types(known, [RESOURCES])]


@pytest.fixture
def stage(clusters: dict[str, Cluster]) -> dict[str, Cluster]:
    """The clusters, with the applications deployed and the plan made."""
    for namespace, claims in CLAIMS.items():
        applications.deploy(clusters["source"], application(namespace, claims))
    made = play({}, playbook=str(Path(__file__).parent / "stage.yml"))
    assert made.code == 0, made.output
    return clusters


def application(namespace: str, claims: Sequence[str]) -> list[Manifest]:
    """The usual application with more volumes: all of the claims are bound and in use."""
    objects = applications.manifests(namespace, mebibytes=1, files=10)
    claim = next(item for item in objects if item["kind"] == "PersistentVolumeClaim")
    workload = next(item for item in objects if item["kind"] == "Deployment")
    pod = workload["spec"]["template"]["spec"]
    objects.remove(claim)
    objects[1:1] = [{**claim, "metadata": {**claim["metadata"], "name": name}} for name in claims]
    pod["volumes"] = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    first, *others = claims
    pod["containers"][0]["volumeMounts"] = [
        {"name": first, "mountPath": "/data"},
        *({"name": name, "mountPath": f"/more/{name}"} for name in others),
    ]
    return objects


def as_in_the_lab(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = yaml.safe_dump(tasks, sort_keys=False)
    for there, here in replaced().items():
        text = text.replace(there, here)
    found: list[dict[str, Any]] = yaml.safe_load(text)
    return found


def is_removal(task: dict[str, Any]) -> bool:
    return any(key.startswith(COLLECTION) and value.get("state") == "absent" for key, value in task.items())


def make_what_is_removed(control: Cluster, tasks: list[dict[str, Any]]) -> None:
    """An example that removes something shows nothing unless it is there."""
    kinds = {item["spec"]["names"]["kind"]: item for item in crd_manifests()}
    by_module = {kind.lower(): kind for kind in kinds}
    for task in filter(is_removal, tasks):
        module, options = next((key, value) for key, value in task.items() if key.startswith(COLLECTION))
        kind = by_module[module.removeprefix(COLLECTION).replace("_", "")]
        (version,) = kinds[kind]["spec"]["versions"]
        metadata = {"name": options["name"], "namespace": RESOURCES}
        spec = least(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
        try:
            control.create({"apiVersion": names.API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})
        except AlreadyExists:
            continue


def least(schema: dict[str, Any]) -> Any:
    """The smallest value that a schema takes."""
    if schema["type"] == "object":
        return {name: least(schema["properties"][name]) for name in schema.get("required", ())}
    return {"string": (schema.get("enum") or ["x"])[0], "boolean": False, "integer": 0, "array": []}[schema["type"]]


@pytest.fixture
def run_twice(stage: dict[str, Cluster], tmp_path: Path) -> Callable[[list[dict[str, Any]]], Run]:
    """Runs each task and at once the same again, then the next."""

    def run(tasks: list[dict[str, Any]]) -> Run:
        shown = as_in_the_lab(tasks)
        make_what_is_removed(stage["destination"], shown)
        head = {"hosts": "localhost", "connection": "local", "gather_facts": False}
        variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", "ansible_pipelining": True}
        playbook = tmp_path / "examples.yml"
        twice = [task for task in shown for _time in range(2)]
        playbook.write_text(yaml.safe_dump([{**head, "vars": variables, "tasks": twice}], sort_keys=False))
        return play({}, playbook=str(playbook))

    return run
