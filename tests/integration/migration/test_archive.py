# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run lays into its plan's repository, the backup and the restore, read file by file by tar, gzip and a JSON
parser, which know nothing of who wrote it. The rules are those of Velero's format 1.1.0."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.crds.conftest import role_on
from integration.migration import calls
from integration.migration.conftest import World
from integration.stores import servers
from lab.targets import targets

COMPANIONS = {
    "velero-backup.json",
    "{}.tar.gz",
    "{}-logs.gz",
    "{}-podvolumebackups.json.gz",
    "{}-resource-list.json.gz",
    "{}-results.gz",
    "{}-volumesnapshots.json.gz",
}
NOT_IN_IT = ("persistentvolumeclaims", "persistentvolumes", "events", "endpoints", "pods")


def fetched(port: int, key: str) -> bytes:
    content: bytes = servers.s3_client(port).get_object(Bucket=servers.BUCKET, Key=key)["Body"].read()
    return content


def unpacked(archive: bytes, folder: Path) -> dict[str, Any]:
    """Every file of the archive by its path, as GNU tar unpacks it."""
    (folder / "archive.tar.gz").write_bytes(archive)
    subprocess.run(["tar", "--extract", "--gzip", "--file", "archive.tar.gz"], cwd=folder, check=True)
    (folder / "archive.tar.gz").unlink()
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in paths}


def must_be_a_restore(world: World, root: str, found: dict[str, bytes]) -> None:
    """The files of a restore that created everything, whatever is in the way of the destination's own accounts."""
    name = root.rpartition("/")[2]
    texts = {
        key.removeprefix(f"{root}/restore-{name}-"): gzip.decompress(content).decode() for key, content in found.items()
    }
    assert set(texts) == {"logs.gz", "results.gz", "resource-list.json.gz"}
    assert json.loads(texts["results.gz"])["errors"] == {}
    listed = json.loads(texts["resource-list.json.gz"])
    assert listed["apps/v1/Deployment"] == [f"{world.destination_namespace}/web(created)"]
    assert f"{world.destination_namespace}/settings(created)" in listed["v1/ConfigMap"]
    assert all(names == sorted(names) for names in listed.values())
    total = sum(len(names) for names in listed.values())
    assert f"Restored a total of {total} items" in texts["logs.gz"]


@pytest.mark.sample
def test_the_backup_of_a_run_is_one_that_velero_can_read(world: World, tmp_path: Path) -> None:
    world.deploy(mebibytes=1, files=20)
    definitions = role_on(targets().destination)(crds_namespace=world.resource_namespace)
    assert definitions.code == 0, definitions.output
    with servers.seaweed(tmp_path) as port:
        servers.make_bucket(port)
        config = {"aws_bucket_name": servers.BUCKET, "aws_s3_url": f"http://127.0.0.1:{port}"}
        keys = {"aws_access_key_id": servers.ADMIN.access, "aws_secret_access_key": servers.ADMIN.secret}
        stored = calls.call(
            world,
            "mig_storage",
            name="backups",
            backup_storage_provider="aws",
            backup_storage_config=config,
            credentials=keys,
        )
        assert stored.code == 0, stored.output
        run = world.migrate(mtc_storage="backups")
        assert run.code == 0, run.output
        found = {key: fetched(port, key) for key in servers.s3_keys(port)}

    root, restored = sorted({key.rpartition("/")[0] for key in found})
    assert root.startswith("velero/backups/app-final-initial-")
    assert restored.startswith("velero/restores/app-final-final-")
    name = root.rpartition("/")[2]
    must_be_a_restore(world, restored, {key: found.pop(key) for key in list(found) if key.startswith(restored)})
    assert set(found) == {f"{root}/{file.format(name)}" for file in COMPANIONS}

    backup = json.loads(found[f"{root}/velero-backup.json"])
    assert (backup["apiVersion"], backup["kind"], backup["metadata"]["name"]) == ("velero.io/v1", "Backup", name)
    assert backup["spec"]["includedNamespaces"] == [world.source_namespace]
    assert backup["metadata"]["labels"]["velero.io/storage-location"] == backup["spec"]["storageLocation"] == "backups"
    status = backup["status"]
    assert (status["version"], status["formatVersion"], status["phase"]) == (1, "1.1.0", "Completed")
    assert status["startTimestamp"] <= status["completionTimestamp"] < status["expiration"]

    companions = {
        file.removeprefix(f"{root}/{name}-"): gzip.decompress(content).decode()
        for file, content in found.items()
        if file.endswith(".gz") and not file.endswith(".tar.gz")
    }
    assert json.loads(companions["podvolumebackups.json.gz"]) == []
    assert json.loads(companions["volumesnapshots.json.gz"]) == []
    assert json.loads(companions["results.gz"])["errors"] == {}
    assert "Backed up a total of" in companions["logs.gz"]

    folder = tmp_path / "unpacked"
    folder.mkdir()
    files = unpacked(found[f"{root}/{name}.tar.gz"], folder)
    assert files.pop("metadata/version") == "1.1.0\n"
    objects = {path: json.loads(text) for path, text in files.items()}
    plain = {path: obj for path, obj in objects.items() if "-preferredversion" not in path}
    for path, obj in objects.items():
        first, resource, *place = path.split("/")
        assert first == "resources"
        assert not resource.startswith(NOT_IN_IT)
        if place[0].endswith("-preferredversion"):
            assert place.pop(0) == f"{obj['apiVersion'].rpartition('/')[2]}-preferredversion"
            assert plain["/".join((first, resource, *place))] == obj
        assert resource.partition(".")[2] == obj["apiVersion"].rpartition("/")[0]
        metadata = obj["metadata"]
        where = ["namespaces", metadata["namespace"]] if "namespace" in metadata else ["cluster"]
        assert place == [*where, f"{metadata['name']}.json"]
    assert len(objects) == 2 * len(plain)
    assert status["progress"] == {"totalItems": len(plain), "itemsBackedUp": len(plain)}

    shown: dict[str, list[str]] = {}
    for obj in plain.values():
        metadata = obj["metadata"]
        said = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
        shown.setdefault(f"{obj['apiVersion']}/{obj['kind']}", []).append(said)
    assert json.loads(companions["resource-list.json.gz"]) == {kind: sorted(each) for kind, each in shown.items()}

    web = plain[f"resources/deployments.apps/namespaces/{world.source_namespace}/web.json"]
    live = world.source.get("apps/v1", "Deployment", "web", world.source_namespace)
    assert live is not None
    assert web["metadata"]["uid"] == live["metadata"]["uid"]
    assert web["spec"]["replicas"] == 1
    assert "managedFields" in web["metadata"]
    assert f"resources/namespaces/cluster/{world.source_namespace}.json" in plain
    assert run.migration["resource"]["apiVersion"] == names.API_VERSION
