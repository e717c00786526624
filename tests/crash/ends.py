# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How things stand at the end, in terms that do not name the row's world, so that two ends can be compared."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from crash.scene import Scene
from integration.migration import applications, evidence

Files = dict[str, list[str]]
_NUMBER = re.compile(r"\b(app-(?:final|stage|rollback))-\d+")
_PARTS_OF_A_RUN = re.compile(r"-inventory-\d+$")
VOLUMES = "PersistentVolumeClaim "
ENDS = ("Succeeded", "SucceededWithWarnings", "Canceled", "Failed")


@dataclass(frozen=True)
class End:
    """Objects of both clusters, whether the applications run and have their files, the resources' state, what is
    left."""

    source: dict[str, Any]
    destination: dict[str, Any]
    running: dict[str, list[int]]
    files_equal: dict[str, bool]
    migrations: list[list[str]]
    plan: list[str]
    records: list[str]
    left: list[str]

    def as_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def files_of_source(scene: Scene) -> Files:
    """The applications' files before the run, by namespace."""
    listed = scene.source.map(lambda name: applications.files(scene.source, name), scene.source_namespaces)
    return dict(zip(scene.source_namespaces, listed, strict=True))


def end_of(scene: Scene, files: Files) -> End:
    """Looks at everything; waits for pods of applications that are to run."""
    text = json.dumps(
        {
            "source": {name: evidence.restored(scene.source, name) for name in scene.source_namespaces},
            "destination": {name: evidence.restored(scene.destination, name) for name in scene.destination_namespaces},
        },
        sort_keys=True,
    )
    objects = json.loads(text.replace(scene.name, "SCENE"))
    running, equal = _applications(scene, files)
    migrations = [_told(migration) for migration in scene.migrations()]
    return End(
        source=objects["source"],
        destination=objects["destination"],
        running=running,
        files_equal=equal,
        migrations=[list(each) for each in sorted(set(migrations))],
        plan=_plan(scene),
        records=_records(scene),
        left=_left(scene),
    )


def _applications(scene: Scene, files: Files) -> tuple[dict[str, list[int]], dict[str, bool]]:
    running, equal = {}, {}
    sides = (
        ("source", scene.source, scene.source_namespaces),
        ("destination", scene.destination, scene.destination_namespaces),
    )
    for side, cluster, namespaces in sides:
        for namespace, original in zip(namespaces, scene.source_namespaces, strict=True):
            wanted, _ready = applications.replicas_ready(cluster, namespace)
            key = f"{side} {namespace.replace(scene.name, 'SCENE')}"
            if wanted > 0:
                applications.await_ready(cluster, namespace)
                equal[key] = applications.files(cluster, namespace) == files[original]
            running[key] = list(applications.replicas_ready(cluster, namespace))
    return running, equal


def _told(migration: dict[str, Any]) -> tuple[str, ...]:
    """Kind of run, phase and how it ended."""
    spec, status = migration["spec"], migration.get("status") or {}
    kind = "rollback" if spec.get("rollback") else "stage" if spec.get("stage") else "final"
    ended = [item["type"] for item in status.get("conditions") or () if item["type"] in ENDS]
    return kind, str(status.get("phase", "")), *sorted(ended)


def _plan(scene: Scene) -> list[str]:
    plan = scene.destination.get(names.API_VERSION, names.MIG_PLAN, "app", scene.resource_namespace)
    return sorted({item["type"] for item in ((plan or {}).get("status") or {}).get("conditions") or ()})


def _records(scene: Scene) -> list[str]:
    """What stands beside the resources and where hooks ran, on the control cluster and on the source."""
    found = set()
    for cluster in scene.clusters:
        for namespace in (scene.resource_namespace, scene.hook_namespace):
            found |= {f"{cluster.name} {what}" for what in evidence.restored(cluster, namespace)}
    return sorted({_NUMBER.sub(r"\1", _PARTS_OF_A_RUN.sub("-inventory", what)) for what in found})


def _left(scene: Scene) -> list[str]:
    """Whatever carries a label of one of the plan's runs, anywhere on the two clusters, and hooks' pods."""
    uids = ",".join(migration["metadata"]["uid"] for migration in scene.migrations())
    found = evidence.scaffolding(scene.clusters, [], selector=f"{names.RUN_LABEL} in ({uids})") if uids else []
    pods = [
        f"{cluster.name}: Pod {scene.hook_namespace}/{pod['metadata']['name']}"
        for cluster in scene.clusters
        for pod in cluster.list("v1", "Pod", scene.hook_namespace)
    ]
    return [line.replace(scene.name, "SCENE") for line in [*found, *pods]]


def differences(expected: dict[str, Any], found: dict[str, Any], path: str = "") -> list[str]:
    """Where two ends differ, as lines."""
    lines: list[str] = []
    for key in sorted({*expected, *found}):
        here = f"{path}{key}"
        one, other = expected.get(key), found.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            lines += differences(one, other, f"{here} > ")
        elif one != other:
            lines.append(f"{here}: {json.dumps(one)[:200]} became {json.dumps(other)[:200]}")
    return lines


def unclear(end: End) -> list[str]:
    """What must not be after a failure: nothing is left, the source runs with all its files, the destination has
    nothing but volumes."""
    problems = [f"left: {line}" for line in end.left]
    for where, replicas in end.running.items():
        if where.startswith("source") and replicas != [1, 1]:
            problems.append(f"{where}: (wanted, ready) is {replicas}")
    problems += [f"{where}: other files than before" for where, equal in end.files_equal.items() if not equal]
    for namespace, objects in end.destination.items():
        problems += [f"on the destination: {namespace} {what}" for what in objects if not what.startswith(VOLUMES)]
    return problems
