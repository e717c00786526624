# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pods that run restic: their rights, their place, and that nothing secret stands in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.volumes import personas
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import SettledProfile
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.pods_restic import (
    Site,
    backup_pod,
    repository_pod,
    restore_pod,
)
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.repository import Repository, Snapshot

from .builders import OPTIONS, layout, move
from .pod_security import breaches_of_baseline, breaches_of_restricted

REPOSITORY = Repository(
    address="s3:http://store/bucket/velero/restic/openmig-shop",
    environment={"AWS_DEFAULT_REGION": "us-east-1"},
    options=("-o", "s3.bucket-lookup=path"),
    files={"password": "planted-password", "aws": "planted-keys"},
)
SITE = Site(
    layout=layout(), options=OPTIONS, repository=REPOSITORY, anchor_uid="anchor", config_map="config", secret="keys"
)


def pods(profile: SettledProfile) -> dict[str, dict[str, Any]]:
    reader, writer = personas.sender(profile, None, OPTIONS), personas.receiver(profile, [], OPTIONS)
    made = Snapshot(volume="a", manifest="b", entries=3)
    common: dict[str, Any] = {"run_pass": "final", "limit": 100}
    return {
        "repository": repository_pod(SITE, "shop", reader, name="r", tidy=True),
        "look": repository_pod(SITE, "shop-new", writer, name="l", role="server"),
        "backup": backup_pod(SITE, move(), reader, name="b", node="node-1", final=True, force=False, **common),
        "restore": restore_pod(SITE, move(), writer, made, name="d", **common),
    }


@pytest.mark.parametrize("which", ["repository", "look", "backup", "restore"])
def test_pods_pass_the_standard_of_their_profile(which: str) -> None:
    assert breaches_of_baseline(pods("root")[which]) == []
    assert breaches_of_restricted(pods("restricted")[which]) == []


@pytest.mark.parametrize("which", ["repository", "look", "backup", "restore"])
def test_nothing_secret_stands_in_a_pod(which: str) -> None:
    text = json.dumps(pods("root")[which])
    assert "planted" not in text
    assert REPOSITORY.files["password"] not in text


def test_the_source_is_read_only_and_read_where_it_is_attached() -> None:
    spec = pods("root")["backup"]["spec"]
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "volume"]
    assert mount == {"name": "volume", "mountPath": "/volume", "readOnly": True}
    assert "node-1" in json.dumps(spec["affinity"])
    assert "fsGroup" not in spec["securityContext"]


def test_the_repository_is_opened_without_a_volume() -> None:
    assert "persistentVolumeClaim" not in json.dumps(pods("root")["repository"])


def test_each_pod_ends_by_itself_and_is_found_by_its_run() -> None:
    for pod in pods("root").values():
        assert pod["spec"]["restartPolicy"] == "Never"
        assert pod["spec"]["activeDeadlineSeconds"] == 3600
        assert pod["metadata"]["labels"]["openmig.io/run"]
