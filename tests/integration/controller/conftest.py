# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The destination as a cluster on which MTC looks installed, and a process that plays its controller.

What stands in for MTC: its definitions (the collection's own, which accept the same), its namespaces, and a Deployment
of its controller's name whose pod runs and does nothing. What the controller would write, ``player.py`` writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import AlreadyExists
from integration.controller import traces
from integration.migration.applications import IMAGE
from integration.migration.playbooks import ROOT, Run, Started, play
from lab.targets import targets

Manifest = dict[str, Any]
Play = Callable[..., AbstractContextManager[None]]
NAMESPACES = (names.CONTROLLER_NAMESPACE, names.CONFIG_NAMESPACE)
CALL = str(Path(__file__).parent / "call.yml")
DEPLOYMENT = ("apps/v1", "Deployment", "migration-controller", names.CONTROLLER_NAMESPACE)
RUNS = (
    names.MIG_MIGRATION,
    names.DIRECT_VOLUME_MIGRATION,
    names.DIRECT_VOLUME_MIGRATION_PROGRESS,
)


def until(done: Callable[[], bool], *, seconds: float = 60, what: str = "it") -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def deployment() -> Manifest:
    labels = {"app": "migration", "control-plane": "controller-manager"}
    container = {
        "name": "mtc",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT[2], "namespace": DEPLOYMENT[3], "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


def available(control: Cluster) -> bool:
    found = control.get(*DEPLOYMENT)
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    return any(item["type"] == "Available" and item["status"] == "True" for item in conditions)


@pytest.fixture(scope="session")
def control() -> Iterator[Cluster]:
    """The destination with MTC's kinds."""
    variables = {"crds_kubeconfig": str(targets().destination)}
    installed = play(variables, playbook=str(ROOT / "tests/integration/crds/role.yml"))
    assert installed.code == 0, installed.output
    cluster = connect({"kubeconfig": str(targets().destination)}, name="destination", environ={})
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def mtc(control: Cluster) -> Iterator[Cluster]:
    """The control cluster with a controller that is available and does nothing; nothing of it is left at the end."""
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES]
    for manifest in (*namespaces, deployment()):
        with suppress(AlreadyExists):
            control.create(manifest)
    until(lambda: available(control), what="the stand-in for the controller")
    yield control
    for name in NAMESPACES:
        control.delete("v1", "Namespace", name)
    for name in NAMESPACES:
        until(lambda name=name: control.get("v1", "Namespace", name) is None, what=f"Namespace {name}")  # type: ignore[misc]


@pytest.fixture
def clean(mtc: Cluster) -> Iterator[Cluster]:
    """No resource of MTC's before the test and after it."""
    remove_all(mtc)
    yield mtc
    remove_all(mtc)


def remove_all(control: Cluster) -> None:
    for kind in names.KINDS:
        for item in list(control.list(names.API_VERSION, kind, names.CONTROLLER_NAMESPACE)):
            control.delete(names.API_VERSION, kind, item["metadata"]["name"], names.CONTROLLER_NAMESPACE)
    for kind in names.KINDS:
        until(lambda kind=kind: not list(control.list(names.API_VERSION, kind, names.CONTROLLER_NAMESPACE)), what=kind)  # type: ignore[misc]


@pytest.fixture
def plan(clean: Cluster) -> Manifest:
    """The plan of the recorded runs, as MTC's console would have left it: without a mark of ours, ready."""
    recorded = traces.last("final-dvm-failed-but-succeeded-with-warnings", names.MIG_PLAN)
    return clean.create(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.MIG_PLAN,
            "metadata": {
                "name": recorded["name"],
                "namespace": names.CONTROLLER_NAMESPACE,
                "annotations": recorded["annotations"],
            },
            "spec": recorded["spec"],
            "status": recorded["status"],
        }
    )


@pytest.fixture
def controller(mtc: Cluster, tmp_path: Path) -> Play:
    """``with controller(events=..., passes=...):`` lets a process of its own play that script."""

    @contextmanager
    def playing(**script: Any) -> Iterator[None]:
        file = tmp_path / f"script-{time.monotonic_ns()}.json"
        file.write_text(json.dumps(script))
        path = os.pathsep.join([str(ROOT / "tests"), str(ROOT / ".build" / "live")])
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "integration.controller.player",
                "--kubeconfig",
                str(targets().destination),
                "--script",
                str(file),
            ],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "ready"
            yield
            assert process.poll() is None, "the player has ended by itself"
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    return playing


def options(module: str, given: Mapping[str, Any]) -> dict[str, Any]:
    where = {"kubeconfig": str(targets().destination)}
    return {"call_module": module, "call_options": {**where, **given}}


def call(module: str, *arguments: str, **given: Any) -> Run:
    """One module, once; the engine is chosen by what the cluster shows."""
    return play(options(module, given), *arguments, playbook=CALL)


def start(module: str, **given: Any) -> Started:
    """The same, running."""
    return Started(options(module, given), playbook=CALL)
