# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with the choices for a plan's volumes becomes the condition that MTC would raise."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.resources import storage_classes
from ansible_collections.openmig.mtc.plugins.module_utils.resources.conditions import Conditions, items_of
from ansible_collections.openmig.mtc.plugins.module_utils.resources.plan_checks import SelectionFacts, check_selections

CLASSES = [
    storage_classes.describe({"metadata": {"name": "disk"}, "provisioner": "kubernetes.io/aws-ebs"}),
    storage_classes.describe({"metadata": {"name": "files"}, "provisioner": "x.cephfs.csi.ceph.com"}),
]
GOOD = {
    "name": "pv-1",
    "supported": {"actions": ["skip", "copy"], "copyMethods": ["filesystem", "block", "snapshot"]},
    "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": "disk"},
    "pvc": {"namespace": "shop", "name": "data", "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"},
}


def entry(**selection: Any) -> dict[str, Any]:
    changed: dict[str, Any] = deepcopy(GOOD)
    for name, value in selection.items():
        if value is None:
            changed["selection"].pop(name, None)
        else:
            changed["selection"][name] = value
    return changed


def raised(*entries: dict[str, Any], **more: Any) -> dict[str, dict[str, Any]]:
    conditions = Conditions(None)
    conditions.begin()
    check_selections(SelectionFacts(entries=entries, **{"destination_classes": CLASSES, **more}), conditions)
    return {item["type"]: item for item in conditions.end(datetime.now(UTC))}


def test_nothing_is_wrong_with_what_discovery_chooses() -> None:
    assert raised(entry()) == {}


@pytest.mark.parametrize(
    ("selection", "condition", "category", "reason"),
    [
        ({"action": "move"}, "PvInvalidAction", "Error", "NotDone"),
        ({"action": None}, "PvInvalidAction", "Error", "NotDone"),
        ({"storageClass": None}, "PvNoStorageClassSelection", "Warn", "NotFound"),
        ({"storageClass": "gone"}, "PvInvalidStorageClass", "Error", "NotDone"),
        ({"accessMode": "ReadSometimes"}, "PvInvalidAccessMode", "Error", None),
        ({"accessMode": "ReadWriteMany"}, "PvWarnAccessModeUnavailable", "Warn", None),
        ({"copyMethod": None}, "PvNoCopyMethodSelection", "Error", "NotFound"),
        ({"copyMethod": "teleport"}, "PvInvalidCopyMethod", "Error", None),
        ({"copyMethod": "snapshot"}, "PvWarnCopyMethodSnapshot", "Warn", None),
    ],
)
def test_each_rule(selection: dict[str, Any], condition: str, category: str, reason: str | None) -> None:
    found = raised(entry(**selection), {**entry(), "name": "pv-2"})
    assert list(found) == [condition]
    assert (found[condition]["category"], found[condition].get("reason")) == (category, reason)
    named = ("shop/data (class gone)",) if condition == "PvInvalidStorageClass" else ("pv-1",)
    assert items_of(found[condition]) == named


@pytest.mark.parametrize("mode", ["ReadWriteMany", "auto", "", "ReadWriteOncePod"])
def test_modes_that_are_fine(mode: str) -> None:
    assert "PvInvalidAccessMode" not in raised(entry(accessMode=mode, storageClass="files"))


def test_a_mode_of_the_claim_that_the_class_lacks_is_warned_of() -> None:
    shared = entry()
    shared["pvc"]["accessModes"] = ["ReadWriteMany"]
    assert list(raised(shared)) == ["PvWarnAccessModeUnavailable"]
    shared["pvc"]["accessModes"] = ["ReadWriteMany", "ReadWriteOnce"]
    assert raised(shared) == {}


def test_skipped_volumes_need_no_choices() -> None:
    assert raised(entry(action="skip", storageClass=None, copyMethod=None)) == {}


def test_a_volume_with_which_nothing_can_be_done() -> None:
    stuck = entry()
    stuck["supported"]["actions"] = []
    assert list(raised(stuck)) == ["PvNoSupportedAction"]


def test_a_storage_conversion_needs_other_names_and_classes() -> None:
    found = raised(entry(), storage_conversion=True)
    assert list(found) == ["PvNameConflict"]
    assert items_of(found["PvNameConflict"]) == ("data",)
    renamed = entry()
    renamed["pvc"]["name"] = "data:data-mig-ab12"
    assert raised(renamed, storage_conversion=True) == {}
    one_class = raised(renamed, storage_conversion=True, destination_classes=CLASSES[:1])
    no_volume = raised(storage_conversion=True)
    assert list(one_class) == list(no_volume) == ["StorageClassConversionUnavailable"]


def test_a_volume_on_nfs_that_is_to_be_moved_names_its_server() -> None:
    on_nfs = entry(action="move")
    on_nfs["supported"]["actions"] = ["skip", "copy", "move"]
    found = raised(on_nfs, entry(), nfs={"pv-1": "192.0.2.7"})
    assert list(found) == ["NfsAccessCannotBeValidated"]
    assert items_of(found["NfsAccessCannotBeValidated"]) == ("192.0.2.7",)
    assert raised(entry(), nfs={"pv-1": "192.0.2.7"}) == {}
    assert raised(on_nfs) == {}
