# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A storage that MTC's controller tests: its secret lies where MTC's documents have it, a changed key is tested anew.

The conditions that are played are those of the reference on MigStorage; the store that they speak of does not exist.
"""

from __future__ import annotations

import base64
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.conditions.tasks import perform
from integration.controller.conftest import Play

READY = {"type": "Ready", "status": "True", "category": "Required", "message": "The storage is ready."}
TEST_FAILED = {
    "type": "BackupStorageProviderTestFailed",
    "status": "True",
    "category": "Critical",
    "reason": "TestFailed",
    "message": "The Backup storage cloudprovider test failed [SignatureDoesNotMatch].",
}


def storage(secret_key: str) -> tuple[str, dict[str, Any]]:
    return "mig_storage", {
        "name": "backups",
        "backup_storage_provider": "aws",
        "backup_storage_config": {
            "aws_bucket_name": "backups",
            "aws_s3_url": "https://store.invalid",
            "insecure": False,
        },
        "credentials": {"aws_access_key_id": "access", "aws_secret_access_key": secret_key},
    }


def test_a_storage_of_the_controllers(clean: Cluster, controller: Play) -> None:
    space = names.CONTROLLER_NAMESPACE
    passes = [[{"after": 0.3, "conditions": [READY]}], [{"after": 0.3, "conditions": [TEST_FAILED]}]]
    with controller(passes={names.MIG_STORAGE: passes}):
        made, again, other = perform([storage("first"), storage("first"), storage("second")], namespace=space)
    assert made["engine"] == "controller"
    assert made["changes"] == [
        f"Secret {names.CONFIG_NAMESPACE}/migstorage-backups created",
        f"MigStorage {space}/backups created",
    ]
    reference = {"name": "migstorage-backups", "namespace": names.CONFIG_NAMESPACE}
    assert made["resource"]["spec"]["backupStorageConfig"]["credsSecretRef"] == reference
    assert (again["failed"], again["changed"]) == (False, False)
    # The spec is the same and was Ready: that the secret behind it is another is what makes it worth a new test.
    assert other["failed"]
    assert "SignatureDoesNotMatch" in other["msg"]
    secret = clean.get("v1", "Secret", "migstorage-backups", names.CONFIG_NAMESPACE)
    assert secret is not None
    assert base64.b64decode(secret["data"]["aws-secret-access-key"]) == b"second"
    (gone,) = perform([("mig_storage", {"name": "backups", "state": "absent"})], namespace=space)
    assert gone["changed"]
    assert clean.get("v1", "Secret", "migstorage-backups", names.CONFIG_NAMESPACE) is None
    assert clean.get(names.API_VERSION, names.MIG_STORAGE, "backups", space) is None
