# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applications that write when it matters, and an operator that starts again what somebody stops."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import applications
from integration.migration.applications import Manifest
from integration.migration.playbooks import ROOT
from lab.targets import targets

APPEND = r"""
n=0
trap 'wc -l < /data/log > /data/last; sync /data/last; exit 0' TERM
: > /data/.seeded
# What has been stopped once only shows what it has: the copy is not written to any more.
while [ -e /data/last ]; do sleep 0.2 & wait $!; done
while :; do
    n=$((n + 1)); echo "$n $(date +%s%N)" >> /data/log
    sleep 0.02 & wait $!
done
"""
"""Appends numbered lines until TERM, then notes how many there are."""

PARTING = r"""
part() {
    size=$PARTING; [ ! -e /data/size ] || size=$(cat /data/size)
    head -c "$size" /dev/urandom > /data/parting; chown 1234:2345 /data/parting; chmod "$MODE" /data/parting
    sync /data/parting; exit 0
}
trap part TERM
head -c "$BYTES" /dev/urandom > /data/blob; rm -f /data/parting; : > /data/.seeded
while :; do sleep 0.2 & wait $!; done
"""
"""Writes a file when it is stopped, which no pass before can have seen: of PARTING bytes, or as many as the file
``size`` says. It belongs to somebody else, and is gone when the application runs again."""

ENVIRONMENT = {"OPERATOR_NAMESPACE": "", "OPERATOR_RESOURCES": "", "OPERATOR_PHASES": ""}
"""What the operator's process is told: where the Deployment is, where the migrations, and the phases it acts in."""


def application(namespace: str, script: str, *, parting_bytes: int = 0, mode: str = "0644") -> list[Manifest]:
    """The usual application with another script in it; ``mode`` is that of its parting file."""
    objects = applications.manifests(namespace, mebibytes=1, files=20)
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            container = manifest["spec"]["template"]["spec"]["containers"][0]
            container["command"] = ["/bin/sh", "-c", script]
            container["env"] += [{"name": "PARTING", "value": str(parting_bytes)}, {"name": "MODE", "value": mode}]
    return objects


@contextmanager
def operator(*, namespace: str, resource_namespace: str, phases: tuple[str, ...] = ()) -> Iterator[None]:
    """A process of its own that scales the Deployment ``web`` of the source to 1 whenever it finds 0.

    With ``phases`` only while a migration of the resource namespace stands in one of them.
    """
    told = dict(zip(ENVIRONMENT, (namespace, resource_namespace, ",".join(phases)), strict=True))
    path = os.pathsep.join(str(ROOT / part) for part in (".build/live", "tests"))
    process = subprocess.Popen(
        [sys.executable, "-m", "integration.migration.writers"],
        env={**os.environ, **told, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        yield
        assert process.poll() is None, "the operator has ended by itself"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _operate(namespace: str, resource_namespace: str, phases: frozenset[str]) -> None:
    source = connect({"kubeconfig": str(targets().source)}, name="source", environ={})
    control = connect({"kubeconfig": str(targets().destination)}, name="control", environ={})
    if phases:
        print("watching", flush=True)
        for _kind, migration in control.watch(names.API_VERSION, names.MIG_MIGRATION, resource_namespace, timeout=900):
            if (migration.get("status") or {}).get("phase") in phases:
                source.patch("apps/v1", "Deployment", "web", namespace, patch={"spec": {"replicas": 1}})
        return
    print("watching", flush=True)
    for _kind, found in source.watch("apps/v1", "Deployment", namespace, timeout=900):
        if found["spec"].get("replicas") == 0:
            source.patch("apps/v1", "Deployment", "web", namespace, patch={"spec": {"replicas": 1}})


if __name__ == "__main__":
    _operate(
        os.environ["OPERATOR_NAMESPACE"],
        os.environ["OPERATOR_RESOURCES"],
        frozenset(filter(None, os.environ["OPERATOR_PHASES"].split(","))),
    )
