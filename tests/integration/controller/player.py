# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A process that plays MTC's controller on a real API server: ``python -m integration.controller.player``.

It stands for the *writes* of mig-controller and for nothing else: it reads the resources that a module has written to
namespace openshift-migration and puts spec and status back as the script says, in one request, with the version that it
read, as upstream does without a status subresource; what is false or empty in a spec is dropped, as upstream's JSON
does. What it writes was either recorded from the real controller (tests/data/traces) or is made after the reference;
each script says which. It moves nothing, and judges nothing.

The script is JSON:

``passes``: for each kind a list of passes, taken one by one whenever a resource of the kind asks for one (``refresh``,
another spec, or never looked at); the last one repeats. A pass is a list of writes ``{after, conditions, status, spec,
refresh}``; ``refresh: leave`` is what a failed pass does.
``events``: a recorded run. It is played for the next MigMigration that has not begun, with its real names and UIDs.
``scale``: by how much the recorded times are shortened.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import signal
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import Conflict

Manifest = dict[str, Any]
NAMESPACE = names.CONTROLLER_NAMESPACE
LONGEST = 2.0
"""Seconds that the longest recorded silence takes here."""
PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that a process gets when its parent ends."""
KEPT_FALSE = frozenset({"isHostCluster", "stage", "custom"})
"""Fields that upstream writes even when they are false."""


class Player:
    def __init__(self, cluster: Cluster, script: Mapping[str, Any]) -> None:
        self._cluster = cluster
        self._passes: dict[str, list[list[Manifest]]] = {
            kind: list(entries) for kind, entries in (script.get("passes") or {}).items()
        }
        self._events: list[Manifest] = list(script.get("events") or [])
        self._scale = float(script.get("scale") or 0.05)
        self._seen: dict[str, str] = {}
        self._running = threading.Event()

    def play(self) -> None:
        """Until it is ended from outside."""
        before = {item["metadata"]["uid"] for item in self._list(names.MIG_MIGRATION)}
        print("ready", flush=True)
        while True:
            for kind in self._passes:
                # While a run is played its trace has the plan's states, too.
                if not (kind == names.MIG_PLAN and self._running.is_set()):
                    for item in self._list(kind):
                        self._pass(kind, item)
            if self._events and not self._running.is_set():
                for item in self._list(names.MIG_MIGRATION):
                    if item["metadata"]["uid"] not in before:
                        self._running.set()
                        threading.Thread(target=Run(self._cluster, item, self._events, self._scale).play).start()
                        break
            time.sleep(0.05)

    def _list(self, kind: str) -> list[Manifest]:
        return list(self._cluster.list(names.API_VERSION, kind, NAMESPACE))

    def _pass(self, kind: str, item: Manifest) -> None:
        uid = item["metadata"]["uid"]
        asked = item["spec"].get("refresh") or self._seen.get(uid) != digest(item["spec"])
        if not asked or not self._passes[kind]:
            return
        entries = self._passes[kind]
        entry = entries.pop(0) if len(entries) > 1 else entries[0]
        for step in entry:
            time.sleep(float(step.get("after", 0.05)))
            if not self._write(kind, item["metadata"]["name"], step, uid=uid):
                return

    def _write(self, kind: str, name: str, step: Manifest, *, uid: str) -> bool:
        """One write. False when somebody else wrote in the meantime: the pass is then made anew, as upstream does."""
        item = self._cluster.get(names.API_VERSION, kind, name, NAMESPACE)
        if item is None or item["metadata"]["uid"] != uid:
            return False
        item["spec"] = normal({**item["spec"], **(step.get("spec") or {})})
        failed = step.get("refresh") == "leave"
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [{"lastTransitionTime": now, **condition} for condition in step.get("conditions", [])]
        status = {**(item.get("status") or {}), **(step.get("status") or {}), "conditions": conditions}
        if not failed:
            item["spec"].pop("refresh", None)
            item["metadata"].setdefault("annotations", {})[names.TOUCH_ANNOTATION] = str(uuid.uuid1())
            status["observedDigest"] = digest(item["spec"])
            status["observedGeneration"] = item["metadata"]["generation"] + 1
        try:
            self._cluster.replace({**item, "status": status})
        except Conflict:
            return False
        self._seen[uid] = digest(item["spec"])
        return True


class Run:
    """One recorded run, on one real MigMigration."""

    def __init__(self, cluster: Cluster, migration: Manifest, events: list[Manifest], scale: float) -> None:
        self._cluster = cluster
        self._events = events
        self._scale = scale
        self._migration = migration["metadata"]
        self._plan = migration["spec"]["migPlanRef"]["name"]
        self._real: dict[str, Manifest] = {}
        """The created resources' metadata, by their recorded names."""
        self._by_uid: dict[str, Manifest] = {}
        """The same by their recorded UIDs, where a label of another recorded resource tells one."""

    def play(self) -> None:
        clock = self._events[0]["t"]
        for event in self._events:
            time.sleep(min(LONGEST, max(0.0, event["t"] - clock) * self._scale))
            clock = event["t"]
            kind = event["kind"]
            if kind == names.MIG_MIGRATION:
                if not self._play_migration(event):
                    return
            elif kind == names.MIG_PLAN:
                self._put(kind, self._plan, event, spec=True)
            elif kind in (names.DIRECT_VOLUME_MIGRATION, names.DIRECT_VOLUME_MIGRATION_PROGRESS):
                self._play_direct(event)

    def _play_migration(self, event: Manifest) -> bool:
        """False when the migration is gone. A recorded cancellation is somebody else's act: it is waited for."""
        name = self._migration["name"]
        while event["spec"].get("canceled"):
            found = self._cluster.get(names.API_VERSION, names.MIG_MIGRATION, name, NAMESPACE)
            if found is None:
                return False
            if found["spec"].get("canceled"):
                break
            time.sleep(0.05)
        return self._put(names.MIG_MIGRATION, name, event) if event.get("status") is not None else True

    def _play_direct(self, event: Manifest) -> None:
        recorded = event["name"]
        if event["event"] == "ADDED":
            self._create(event)
        elif recorded in self._real:
            self._put(event["kind"], self._real[recorded]["name"], event)

    def _create(self, event: Manifest) -> None:
        direct = event["kind"] == names.DIRECT_VOLUME_MIGRATION
        labels = dict(event.get("labels") or {})
        if direct:
            owner, owner_kind = self._migration, names.MIG_MIGRATION
            labels |= dict.fromkeys((names.MIGMIGRATION_LABEL, names.DIRECT_VOLUME_LABEL), owner["uid"])
            name = {"generateName": f"{owner['name']}-"}
        else:
            parents = [each for each in self._real.values() if each["kind"] == names.DIRECT_VOLUME_MIGRATION]
            if not parents:
                return
            owner, owner_kind = parents[-1], names.DIRECT_VOLUME_MIGRATION
            labels[names.DIRECT_VOLUME_MIGRATION_LABEL] = owner["uid"]
            name = {"name": hashlib.md5(f"{event['name']}{owner['uid']}".encode(), usedforsecurity=False).hexdigest()}
        reference = {
            "apiVersion": names.API_VERSION,
            "kind": owner_kind,
            "name": owner["name"],
            "uid": owner["uid"],
            "controller": True,
        }
        created = self._cluster.create(
            {
                "apiVersion": names.API_VERSION,
                "kind": event["kind"],
                "metadata": {**name, "namespace": NAMESPACE, "labels": labels, "ownerReferences": [reference]},
                "spec": event["spec"],
                **({"status": event["status"]} if event.get("status") else {}),
            }
        )
        self._real[event["name"]] = {**created["metadata"], "kind": event["kind"]}

    def _put(self, kind: str, name: str, event: Manifest, *, spec: bool = False) -> bool:
        """The recorded status and marks; of the spec what the controller owns. Again when somebody else was faster."""
        while True:
            item = self._cluster.get(names.API_VERSION, kind, name, NAMESPACE)
            if item is None:
                return False
            item["spec"] = normal(item["spec"])
            if spec:
                item["spec"].pop("refresh", None)
                kept = ("refresh", "persistentVolumes")
                item["spec"] |= {field: value for field, value in event["spec"].items() if field in kept}
            metadata = item["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), **(event.get("annotations") or {})}
            if kind == names.MIG_MIGRATION:
                metadata["labels"] = {
                    **(metadata.get("labels") or {}),
                    names.MIGRATION_UID_LABEL: metadata["uid"],
                    names.MIGPLAN_NAME_LABEL: self._plan,
                }
            try:
                self._cluster.replace({**item, "status": event.get("status") or {}})
            except Conflict:
                continue
            return True


def normal(spec: Mapping[str, Any]) -> Manifest:
    """The spec as upstream's JSON has it: what is false or empty is left out."""
    return {field: value for field, value in spec.items() if value or field in KEPT_FALSE}


def digest(spec: Mapping[str, Any]) -> str:
    """A mark that changes with the spec; upstream's own is made another way, and nobody may compare the two."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


def end_with_parent() -> None:
    """A player that outlived its tests would go on writing into those that come after."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    end_with_parent()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kubeconfig", required=True)
    arguments.add_argument("--script", required=True, type=Path)
    given = arguments.parse_args()
    cluster = connect({"kubeconfig": given.kubeconfig}, name="player", environ={})
    Player(cluster, json.loads(given.script.read_text())).play()


if __name__ == "__main__":
    main()
