# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an API server refuses of a Backup that somebody makes of our files: names and labels that are too long."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects import velero_archive
from ansible_collections.openmig.mtc.plugins.module_utils.resources.namespaces import is_dns_subdomain
from ansible_collections.openmig.mtc.plugins.module_utils.resources.option_checks import label_value

REQUEST = "-0a6c9b52-6c3f-4a4a-9d8e-0123456789ab"
"""What ``velero`` appends to a backup's name when it asks for one of its files."""


@pytest.mark.parametrize("stem", ["app-final", "x" * 253, f"{'y' * 100}.{'z' * 100}", f"{'y' * 197}.{'z' * 50}"])
def test_a_backup_has_a_name_that_velero_can_append_to(stem: str) -> None:
    made = velero_archive.name_from(stem, "initial-0a6c9")
    assert made.endswith("-initial-0a6c9")
    assert stem.startswith(made.removesuffix("-initial-0a6c9"))
    assert is_dns_subdomain(made + REQUEST)


def test_a_short_name_stays_whole() -> None:
    assert velero_archive.name_from("app-final", "stage-0a6c9") == "app-final-stage-0a6c9"
    assert velero_archive.label_from("app-final") == "app-final"
    assert velero_archive.label_from("x" * 63) == "x" * 63


def test_a_long_name_is_a_label_as_velero_shortens_it() -> None:
    """57 characters and the first 6 of the hash, by which Velero finds what belongs together."""
    made = velero_archive.label_from("x" * 64)
    assert re.fullmatch("x{57}7ce100", made)
    assert made != velero_archive.label_from("x" * 65)


def test_a_backup_of_a_location_with_a_long_name_has_labels_that_are_taken() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    facts = velero_archive.BackupFacts(
        name="app-final-initial-0a6c9",
        namespace="openshift-migration",
        location="s" * 200,
        namespaces=["shop"],
        excluded=[],
        label_selector=None,
        labels={},
        source_version="v1.34",
        begun=now,
        ended=now,
        warnings=[],
    )
    backup = velero_archive.backup(facts, 0)
    assert backup["spec"]["storageLocation"] == "s" * 200
    assert [label_value(value, key) for key, value in backup["metadata"]["labels"].items()] == [[], []]
