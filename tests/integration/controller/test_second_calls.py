# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a second call does: one test for each cell of the table (docs/migrate.md), on a real API server.

The plan's runs lie there as a controller has left them; what the call makes of them is what the module calls, without
Ansible's process around it, for there are many. It does not wait, so nobody has to play the controller. Cells in which
nothing is begun are played for the builtin engine as well; the others are what integration/migration is about.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.engine import call, migrate
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_migration_spec
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError
from integration.controller import traces
from integration.controller.conftest import until
from lab.targets import targets

Result = dict[str, Any]
Found = tuple[str, str | None]
"""A run's kind, and the condition with which it has ended; None while it is unfinished."""
SPECS: Mapping[str, dict[str, Any]] = {
    "stage": {"stage": True},
    "final": {"stage": False, "quiescePods": True},
    "rollback": {"stage": False, "rollback": True},
}
OPTIONS: Mapping[str, dict[str, Any]] = {
    "stage": {"stage": True},
    "again": {"stage": True, "again": True},
    "final": {},
    "rollback": {"rollback": True},
    "cancel": {"cancel": True},
}
OK, WARNED, FAILED, CANCELED = "Succeeded", "SucceededWithWarnings", "Failed", "Canceled"
THEN = "2026-01-01T00:00:00Z"
BACK: Found = ("rollback", OK)


@dataclass(frozen=True)
class Cell:
    """``found``: the plan's runs, oldest first. What happens: ``made`` names the run that is created, ``refused`` the
    words of a refusal, ``canceled`` the run that is asked to cancel; with none of them nothing changes."""

    asked: str
    found: tuple[Found, ...]
    made: str = ""
    refused: str = ""
    canceled: str = ""
    told: str = ""
    """The run that the result is about, where nothing is made."""


def start_or_not(asked: str) -> list[Cell]:
    """Stage and final, which have the same column but for ``again`` and what a final run forbids."""
    other = "final" if asked == "stage" else "stage"
    cells = [
        Cell(asked, (), made=f"shop-{asked}"),
        Cell(asked, ((asked, None),), told=f"shop-{asked}"),
        *(Cell(asked, ((asked, end),), told=f"shop-{asked}") for end in (OK, WARNED)),
        *(Cell(asked, ((asked, end),), made=f"shop-{asked}-2") for end in (FAILED, CANCELED)),
        *(Cell(asked, ((asked, end), BACK), made=f"shop-{asked}-2") for end in (OK, FAILED)),
    ]
    for kind in (other, "rollback"):
        found = (("final", OK), (kind, None)) if kind == "rollback" else ((kind, None),)
        cells.append(Cell(asked, found, refused=f"shop-{kind}: another run of the plan is not finished"))
    return cells


CELLS = [
    *start_or_not("stage"),
    *start_or_not("final"),
    Cell("again", (("stage", OK),), made="shop-stage-2"),
    Cell("again", (("stage", WARNED),), made="shop-stage-2"),
    Cell("again", (("stage", None),), told="shop-stage"),
    Cell("stage", (("final", OK),), refused="shop-final: no stage run is started after it"),
    Cell("stage", (("final", FAILED),), made="shop-stage"),
    Cell("final", (("stage", OK),), made="shop-final"),
    Cell("rollback", (), refused="MigPlan shop: there is nothing to roll back"),
    *(
        Cell("rollback", ((kind, None),), refused=f"shop-{kind}: another run of the plan is not finished")
        for kind in ("stage", "final")
    ),
    *(
        Cell("rollback", ((kind, end),), made="shop-rollback")
        for kind in ("stage", "final")
        for end in (OK, WARNED, FAILED, CANCELED)
    ),
    Cell("rollback", (("final", OK), ("rollback", None)), told="shop-rollback"),
    Cell("rollback", (("final", OK), BACK), told="shop-rollback"),
    Cell("rollback", (("final", OK), ("rollback", FAILED)), made="shop-rollback-2"),
    Cell("cancel", ()),
    *(Cell("cancel", ((kind, None),), canceled=f"shop-{kind}", told=f"shop-{kind}") for kind in ("stage", "final")),
    Cell("cancel", (("final", OK), ("rollback", None)), canceled="shop-rollback", told="shop-rollback"),
    *(Cell("cancel", (("final", end),), told="shop-final") for end in (OK, FAILED, CANCELED)),
    Cell("cancel", (("final", OK), BACK), told="shop-rollback"),
]
SETTLED = [
    cell
    for cell in CELLS
    if not (cell.made or cell.canceled) and not any(end is None and kind == cell.asked for kind, end in cell.found)
    if cell.asked != "again"
]
"""What neither begins a run nor goes on with one."""


def name_of(cell: Cell) -> str:
    found = "-".join(f"{kind}.{end or 'unfinished'}" for kind, end in cell.found)
    return f"{cell.asked}-after-{found or 'nothing'}"


def lay(control: Cluster, namespace: str, found: tuple[Found, ...]) -> None:
    """The plan's runs as they were left, one second apart: MTC tells their order by when they were created."""
    for number, (kind, ended) in enumerate(found):
        if number:
            time.sleep(1.1)  # creation times have whole seconds, and nothing else tells them apart
        reference = {"name": "shop", "namespace": namespace}
        condition = {"type": ended or "Running", "status": "True", "category": "Advisory", "lastTransitionTime": THEN}
        status = {
            "phase": "Completed" if ended else "EnsureInitialBackup",
            "itinerary": "Final",
            "observedDigest": "1",
            "startTimestamp": THEN,
            "conditions": [condition],
        }
        control.create(
            {
                "apiVersion": names.API_VERSION,
                "kind": names.MIG_MIGRATION,
                "metadata": {"name": f"shop-{kind}", "namespace": namespace},
                "spec": {"migPlanRef": reference, **SPECS[kind]},
                "status": status,
            }
        )


def runs(control: Cluster, namespace: str) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in control.list(names.API_VERSION, names.MIG_MIGRATION, namespace)}


def ask(asked: str, **given: Any) -> Result:
    """What the module would say."""
    where = {"kubeconfig": str(targets().destination), "plan": "shop", "wait": False}
    checked = ArgumentSpecValidator(mig_migration_spec()).validate({**where, **OPTIONS[asked], **given})
    assert checked.error_messages == []
    this = call.begin(checked.validated_parameters, check=False, subject=names.MIG_MIGRATION, signals=False)
    try:
        return {"failed": False, **migrate.migrate(this)}
    except MtcError as error:
        return {"failed": True, "changed": False, **error.as_result()}


def must_be_as_the_table_says(control: Cluster, space: str, cell: Cell, **given: Any) -> None:
    lay(control, space, cell.found)
    before = runs(control, space)
    result = ask(cell.asked, **given)
    after = runs(control, space)
    assert result["failed"] == bool(cell.refused), result.get("msg")
    assert cell.refused in str(result.get("msg", ""))
    assert set(after) - set(before) == ({cell.made} if cell.made else set())
    assert set(before) - set(after) == set()
    assert [name for name, run in after.items() if run["spec"].get("canceled")] == [cell.canceled or None][
        : bool(cell.canceled)
    ]
    assert result["changed"] == bool(cell.made or cell.canceled)
    if not cell.refused:
        assert result["resource"].get("metadata", {}).get("name", "") == (cell.made or cell.told)
    untouched = [name for name in before if name != cell.canceled]
    assert [after[name]["metadata"]["resourceVersion"] for name in untouched] == [
        before[name]["metadata"]["resourceVersion"] for name in untouched
    ]


@pytest.mark.parametrize("cell", CELLS, ids=name_of)
def test_with_mtc(plan: dict[str, Any], clean: Cluster, cell: Cell) -> None:
    must_be_as_the_table_says(clean, names.CONTROLLER_NAMESPACE, cell)


@pytest.fixture
def space(control: Cluster) -> Iterator[str]:
    """A namespace of the builtin engine with the recorded plan."""
    name = f"cells-{secrets.token_hex(3)}"
    control.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    spec = traces.last("final-succeeded", names.MIG_PLAN)["spec"]
    metadata = {"name": "shop", "namespace": name}
    control.create({"apiVersion": names.API_VERSION, "kind": names.MIG_PLAN, "metadata": metadata, "spec": spec})
    yield name
    control.delete("v1", "Namespace", name)
    until(lambda: control.get("v1", "Namespace", name) is None, what=f"Namespace {name}")


@pytest.mark.parametrize("cell", SETTLED, ids=name_of)
def test_with_the_builtin_engine(control: Cluster, space: str, cell: Cell) -> None:
    must_be_as_the_table_says(control, space, cell, namespace=space)
