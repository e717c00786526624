# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The file of a foretold migration: the same bytes for the same plan, and what a digest covers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.engine import plan_file, plan_text
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import PermanentError, Refused

TOLD: dict[str, Any] = {
    "namespaces": {"shop": "shop-new"},
    "options": {"bandwidth": None, "verification": "changed"},
    "volumes": [
        {
            "source": "shop/data",
            "target": "shop-new/data",
            "storage_class": "fast",
            "access_modes": ["ReadWriteOnce"],
            "size": "1Gi",
            "used_bytes": 1000,
            "method": "rsync",
            "excludes": ["/cache/"],
        }
    ],
    "hooks": [{"phase": "PreBackup", "name": "flush", "namespace": "shop", "service_account": "runner"}],
    "objects": [
        {
            "reference": "ConfigMap shop-new/settings",
            "source": "ConfigMap shop/settings",
            "action": "create",
            "form": "ab" * 32,
            "patch": ["replace /metadata/namespace: shop-new"],
            "notes": [],
            "differences": [],
        }
    ],
    "stays": ["Pod shop/web-1 is made anew"],
    "stops": ["Deployment shop/web"],
    "phases": ["Started", "Completed"],
    "warnings": [],
    "blocking": [],
    "accepted": [],
    "not_checked": ["the network"],
}


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    """TOLD with one value in it replaced."""
    document = copy.deepcopy(TOLD)
    where: Any = document
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = value
    return document


@pytest.mark.parametrize("name", ["plan.txt", "plan.json"])
def test_the_same_plan_gives_the_same_bytes_for_the_owner_alone(tmp_path: Path, name: str) -> None:
    first, second = tmp_path / name, tmp_path / f"again-{name}"
    plan_file.write(str(first), TOLD, title="MigMigration openmig/shop-final")
    plan_file.write(str(second), copy.deepcopy(TOLD), title="MigMigration openmig/shop-final")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mode & 0o777 == 0o600
    assert plan_text.digest_of(TOLD) in first.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, f"again-{name}"])
    plan_file.write(str(first), changed("stops", value=[]), title="x")
    assert first.stat().st_mode & 0o777 == 0o600
    assert "Deployment shop/web" not in first.read_text()


def test_another_measurement_changes_nothing_above_the_lines_of_what_was_measured(tmp_path: Path) -> None:
    plan_file.write(str(tmp_path / "before.txt"), TOLD, title="x")
    plan_file.write(str(tmp_path / "after.txt"), changed("volumes", 0, "used_bytes", value=None), title="x")
    before, after = ((tmp_path / name).read_text().splitlines() for name in ("before.txt", "after.txt"))
    assert [line for line in before if line not in after] == ["measured: volume shop/data holds 1000 bytes"]
    assert [line for line in after if line not in before] == ["measured: volume shop/data holds an unknown amount"]


def test_json_holds_all_of_it(tmp_path: Path) -> None:
    plan_file.write(str(tmp_path / "plan.json"), TOLD, title="x")
    document = json.loads((tmp_path / "plan.json").read_text())
    assert {name: document[name] for name in TOLD} == TOLD


@pytest.mark.parametrize(
    "path",
    [
        (("volumes", 0, "used_bytes"), None),
        (("stays",), []),
        (("objects", 0, "action"), "adopt"),
        (("objects", 0, "differences"), ["data.x"]),
        (("options", "bandwidth"), 100),
        (("accepted",), ["x: the source uses 3 Mi"]),
    ],
)
def test_what_is_measured_or_may_change_is_not_part_of_the_digest(path: tuple[tuple[Any, ...], Any]) -> None:
    assert plan_text.digest_of(changed(*path[0], value=path[1])) == plan_text.digest_of(TOLD)


@pytest.mark.parametrize("name", ["plan.txt", "plan.json"])
@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("objects", 0, "form"), "cd" * 32, "changed: send ConfigMap shop-new/settings (from ConfigMap shop/settings)"),
        (("objects", 0, "action"), "foreign", "changed: foreign ConfigMap shop-new/settings"),
        (("objects",), [], "no longer: send ConfigMap shop-new/settings"),
        (("stops",), ["Deployment shop/web", "Job shop/x"], "new: stop Job shop/x"),
        (("volumes", 0, "size"), "2Gi", "changed: volume shop/data -> shop-new/data, class fast, ReadWriteOnce, 2Gi"),
        (("volumes", 0, "excludes"), [], "no longer: exclude /cache/ of shop/data"),
        (("options", "verification"), "full", "changed: option verification: full"),
        (("hooks",), [], "no longer: hook PreBackup: flush in shop as runner"),
        (("namespaces", "shop"), "other", "new: namespace shop -> other"),
    ],
)
def test_anything_else_is_refused_by_name(
    tmp_path: Path, name: str, path: tuple[Any, ...], value: Any, told: str
) -> None:
    file = str(tmp_path / name)
    plan_file.write(file, TOLD, title="x")
    params = {"plan_digest": plan_text.digest_of(TOLD), "plan_file": file}
    plan_file.require(params, TOLD, subject="MigMigration a/b")
    with pytest.raises(Refused) as refused:
        plan_file.require(params, changed(*path, value=value), subject="MigMigration a/b")
    assert told in refused.value.reason


def test_without_the_right_file_the_refusal_says_so(tmp_path: Path) -> None:
    wanted = {"plan_digest": "sha256:" + "0" * 64}
    with pytest.raises(Refused, match="name the plan's file in plan_file"):
        plan_file.require(wanted, TOLD, subject="x")
    (tmp_path / "other").write_text("something else")
    with pytest.raises(Refused, match="name the plan's file in plan_file"):
        plan_file.require({**wanted, "plan_file": str(tmp_path / "other")}, TOLD, subject="x")
    plan_file.write(str(tmp_path / "other"), TOLD, title="x")
    with pytest.raises(Refused, match="yet another plan"):
        plan_file.require({**wanted, "plan_file": str(tmp_path / "other")}, TOLD, subject="x")


def test_bad_options_are_told_before_any_cluster_is_asked(tmp_path: Path) -> None:
    found = plan_file.problems({"plan_file": str(tmp_path / "no" / "plan"), "plan_digest": None}, check=True)
    assert [item.path for item in found] == ["plan_file"]
    assert plan_file.problems({"plan_file": str(tmp_path / "no" / "plan")}, check=False) == []
    assert [item.path for item in plan_file.problems({"plan_file": str(tmp_path)}, check=False)] == ["plan_file"]
    assert [item.path for item in plan_file.problems({"plan_digest": "abc"}, check=False)] == ["plan_digest"]


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="the plan cannot be written"):
        plan_file.write(str(tmp_path / "no" / "plan"), TOLD, title="x")


def test_the_summary_counts() -> None:
    assert plan_text.summary(TOLD) == {
        "namespaces": 1,
        "objects": {"create": 1},
        "volumes": 1,
        "used_bytes": 1000,
        "volumes_of_unknown_use": 0,
        "stops": 1,
        "hooks": 1,
        "stays": 1,
        "warnings": 0,
        "blocking": 0,
        "accepted": 0,
    }
