# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looked at, approved, carried out: what check mode has written into a file is what happens, or nothing does."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from integration.migration import applications
from integration.migration.calls import PLAN_TASK, record, stored
from integration.migration.conftest import World
from integration.migration.waiting import until_measured

PASSWORD = "not-for-logs-8431"


def test_an_approved_plan_is_carried_out_as_long_as_it_is_the_same(world: World, tmp_path: Path) -> None:
    world.deploy(mebibytes=1, files=20)
    used = until_measured(world.source, world.source_namespace, at_least=1024 * 1024)
    files = {name: tmp_path / name for name in ("plan.json", "again.json", "plan.txt", "again.txt")}
    runs = {name: world.migrate("--check", mtc_plan_file=str(path)) for name, path in files.items()}
    for name, run in runs.items():
        assert run.code == 0, run.output
        assert run.migration["plan_file"] == str(files[name])
        assert "objects" not in run.migration["prediction"]
        assert files[name].stat().st_mode & 0o777 == 0o600
        text = files[name].read_text()
        assert PASSWORD not in text
        assert base64.b64encode(PASSWORD.encode()).decode().rstrip("=") not in text
    assert files["plan.json"].read_bytes() == files["again.json"].read_bytes()
    assert files["plan.txt"].read_bytes() == files["again.txt"].read_bytes()
    (digest,) = {run.migration["digest"] for run in runs.values()}
    plan = json.loads(files["plan.json"].read_text())
    assert plan["digest"] == digest
    assert plan["volumes"][0]["used_bytes"] == used
    rows = {row["reference"]: row for row in plan["objects"]}
    assert f"replace /metadata/namespace: {world.destination_namespace}" in next(
        row["patch"] for name, row in rows.items() if name.startswith("ConfigMap")
    )
    assert runs["plan.json"].migration["summary"]["objects"] == {"create": len(rows)}

    settings = world.source.get("v1", "ConfigMap", "settings", world.source_namespace)
    assert settings is not None
    secret = world.source.get("v1", "Secret", "login", world.source_namespace)
    assert secret is not None
    world.source.patch("v1", "ConfigMap", "settings", world.source_namespace, patch={"data": {"COLOUR": "red"}})
    other = base64.b64encode(b"another").decode()
    world.source.patch("v1", "Secret", "login", world.source_namespace, patch={"data": {"PASSWORD": other}})
    approved = {"mtc_plan_digest": digest, "mtc_plan_file": str(files["plan.txt"])}
    refused = world.migrate(**approved)
    assert refused.code != 0
    for kind, name in (("ConfigMap", "settings"), ("Secret", "login")):
        there, here = (f"{kind} {space}/{name}" for space in (world.destination_namespace, world.source_namespace))
        assert f"changed: send {there} (from {here})" in refused.failure
    assert "Deployment" not in refused.failure
    assert stored(world) == {}
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)

    for kind, found in (("ConfigMap", settings), ("Secret", secret)):
        name = found["metadata"]["name"]
        world.source.patch("v1", kind, name, world.source_namespace, patch={"data": found["data"]})
    run = world.migrate(*PLAN_TASK, **approved)
    assert run.code == 0, run.output
    assert record(world)["approved"] == digest
    applications.await_ready(world.destination, world.destination_namespace)
