# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A transfer from beginning to end on real clusters: pre-copy, proof, last pass, verdict, removal."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.volumes import status
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import Verdict

from .conftest import MIB, World, until

FILES = """
    mkdir -p /a/deep/er; i=0
    while [ $i -lt 500 ]; do echo "row $i" >"/a/deep/row $i"; i=$((i+1)); done
    head -c 20000000 /dev/urandom >/b/big; ln /b/big /b/again; ln -s big /b/link
    chown 4711:4712 /b/big; chmod 4750 /b/big; mkfifo /a/pipe
    printf 'odd' >"/a/-odd
name #1"
"""


def secrets_of(world: World, namespace: str) -> list[str]:
    found: list[str] = []
    for cluster in (world.source, world.destination):
        for secret in cluster.list("v1", "Secret", namespace):
            for key, value in (secret.get("data") or {}).items():
                text = base64.b64decode(value).decode()
                found += [line for line in text.splitlines() if len(line) > 30 and key != "ca.crt"]
    return found


@pytest.mark.sample
def test_whole_life(world: World) -> None:
    first, second = world.namespace(), world.namespace()
    world.application(first, ["a", "b"], FILES)
    world.application(second, ["c"], "echo x >/c/x; chown 99 /c/x")
    moves = world.moves((first, "a"), (first, "b"), (second, "c"))
    identity = world.identity()
    world.claims(moves, identity)
    transfer = world.transfer(moves, identity)
    took: dict[str, float] = {"ensure": until(transfer.ensure)}

    pods = list(world.source.list("v1", "Pod", first, label_selector=f"{names.RUN_LABEL}={identity.uid}"))
    assert len(pods) == 2
    for pod in pods:
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["metadata"]["labels"]["owner"] == "directvolumemigration"
        write = world.source.exec(first, pod["metadata"]["name"], ["/bin/sh", "-c", ": >/volume/x"])
        assert write.exit_code != 0
        assert "Read-only" in write.stderr
    hidden = secrets_of(world, first)
    assert len(hidden) > 10
    shown: list[dict[str, Any]] = []
    for cluster in (world.source, world.destination):
        for kind in ("Pod", "ConfigMap", "Service"):
            shown += cluster.list("v1", kind, first)
    assert not any(secret in json.dumps(shown) for secret in hidden)

    took["pre-copy"] = until(lambda: transfer.run_pass("precopy", final=False))
    results = transfer.results("precopy")
    assert [results[move].files_transferred for move in moves] == [501, 1, 1]
    took["proof"] = until(lambda: transfer.prove("precopy"))
    world.shell(first, "echo changed >'/a/deep/row 7'; rm '/a/deep/row 8'; echo new >/b/new")
    took["last pass"] = until(lambda: transfer.run_pass("final", final=True))
    assert [transfer.results("final")[move].files_transferred for move in moves] == [1, 1, 0]
    took["verdicts"] = until(lambda: transfer.verify("final"))
    verdicts = transfer.verdicts()
    assert [verdict.ok for verdict in verdicts] == [True, True, True]
    assert [Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) for verdict in verdicts] == verdicts
    lists = status.dvm_status(transfer.progress())
    assert [each["pvcRef"]["name"] for each in lists["successfulPods"]] == ["a", "b", "c"] or len(
        lists["successfulPods"]
    ) == len(moves)
    took["empty pass"] = until(lambda: transfer.run_pass("again", final=True))
    took["removal"] = until(lambda: transfer.remove(wait=True))
    assert transfer.leftovers() == []
    for cluster in (world.source, world.destination):
        for namespace in (first, second):
            for kind in ("Pod", "Secret", "Service", "ConfigMap"):
                left = [item["metadata"]["name"] for item in cluster.list("v1", kind, namespace)]
                assert [name for name in left if name.startswith("openmig")] == []
    for move in moves:
        here = world.digest(move.source_namespace, move.source_claim)
        assert here == world.digest(move.target_namespace, move.target_claim, destination=True)
    print({name: round(seconds, 2) for name, seconds in took.items()})


def test_progress_and_bandwidth(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a", "b"], "head -c 4000000 /dev/urandom | tee /a/x >/b/x")
    moves = world.moves((namespace, "a"), (namespace, "b"))
    identity = world.identity()
    world.claims(moves, identity)
    transfer = world.transfer(moves, identity, bandwidth_kib=2048)
    until(transfer.ensure)
    seen: list[dict[str, Any]] = []

    def step() -> str | None:
        waiting = transfer.run_pass("precopy", final=False)
        seen.extend(transfer.progress())
        return waiting

    assert until(step) > 2.5
    moving = [entry for entry in seen if 0 < entry["percent"] < 100]
    assert moving
    assert all(0 < entry["rate"] < 3 * MIB and entry["state"] == "running" for entry in moving)
    assert {entry["state"] for entry in transfer.progress()} == {"succeeded"}
    assert "100% completed" in status.progress_line(transfer.progress()[0])
