# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What belongs to the namespaces and lives in none: it is made where it is missing, in versions that both clusters
serve, and a rollback takes back what nobody else has begun to use."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from integration.migration import evidence
from integration.migration.calls import PLAN_TASK, call
from integration.migration.conftest import World
from integration.migration.denials import DENIAL, denied, there, unanswered
from integration.migration.playbooks import Run, play
from integration.migration.shared_objects import (
    CONSTRAINTS,
    CRD,
    RBAC,
    SECURITY,
    constraints_definition,
    define,
    definition,
    gadget,
    group,
    mine,
    named,
    owned_by,
    reader,
    standing,
)
from lab import audit


def roll_back(world: World, *arguments: str) -> Run:
    return play(world.variables(), *arguments, playbook="openmig.mtc.rollback")


def test_definition_and_rights_go_along_and_come_back(world: World) -> None:
    with standing(world):
        told = world.migrate("--check", "--diff")
        assert told.code == 0, told.output
        rows = {row["source"]: row for row in told.migration["prediction"]["objects"]}
        for reference in (
            f"CustomResourceDefinition.apiextensions.k8s.io gadgets.{group(world)}",
            f"Gadget.{group(world)} {world.source_namespace}/one",
            f"ClusterRole.{RBAC} {reader(world, 'bound')}",
            f"ClusterRole.{RBAC} {reader(world, 'local')}",
            f"ClusterRoleBinding.{RBAC} {reader(world, 'shared')}",
        ):
            assert rows[reference]["action"] == "create", reference
        brought = f"CustomResourceDefinition gadgets.{group(world)} is brought along: whoever tends Gadget objects"
        assert [text for text in told.migration["prediction"]["warnings"] if text.startswith(brought)]
        assert not any("unrelated" in source or "others" in source for source in rows)
        assert mine(world, world.destination, "ClusterRole") == []

        moved = world.migrate()
        assert moved.code == 0, moved.output
        assert [text for text in moved.migration["objects"]["left"] if "whoever tends Gadget objects" in text]
        there = world.destination_namespace
        owner = world.destination.get(f"{group(world)}/v1", "Gadget", "one", there)
        assert owner is not None
        settings = world.destination.get("v1", "ConfigMap", "settings", there)
        assert settings is not None
        assert settings["metadata"]["ownerReferences"] == [owned_by(owner)]
        assert moved.migration["objects"]["owned"] == [f"ConfigMap {there}/settings"]
        assert mine(world, world.destination, "ClusterRole") == [reader(world, "bound"), reader(world, "local")]
        (name,) = mine(world, world.destination, "ClusterRoleBinding")
        binding = world.destination.get(f"{RBAC}/v1", "ClusterRoleBinding", name)
        assert binding is not None
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "runner", "namespace": there}]
        assert binding["metadata"]["labels"][names.MIGRATED_BY_MIGPLAN_LABEL]
        assert any(reader(world, "shared") in line for line in moved.migration["objects"]["rewritten"])

        again = world.migrate(*PLAN_TASK)
        assert (again.code, again.changed) == (0, 0), again.output

        told = roll_back(world, "--check", "--diff")
        removes = told.migration["prediction"]["removes"]
        assert f"CustomResourceDefinition.apiextensions.k8s.io gadgets.{group(world)}" in removes
        assert f"ClusterRoleBinding.{RBAC} {name}" in removes
        undone = roll_back(world)
        assert undone.code == 0, undone.output
        assert world.destination.get(*CRD, f"gadgets.{group(world)}") is None
        assert mine(world, world.destination, "ClusterRole") == []
        assert mine(world, world.destination, "ClusterRoleBinding") == []
        # The source's own are as they were.
        assert world.source.get(*CRD, f"gadgets.{group(world)}") is not None
        assert len(mine(world, world.source, "ClusterRole")) == 3


def test_what_others_have_begun_to_use_stays_after_a_rollback(world: World) -> None:
    with standing(world):
        assert world.migrate().code == 0
        # Somebody makes an object of the kind, and binds one of the roles.
        world.destination.create(gadget(world, "theirs", world.resource_namespace))
        role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": reader(world, "bound")}
        subject = {"kind": "Group", "apiGroup": RBAC, "name": "people"}
        world.destination.create(
            named(f"{RBAC}/v1", "ClusterRoleBinding", reader(world, "people"), roleRef=role, subjects=[subject])
        )
        told = roll_back(world, "--check", "--diff")
        keeps = " ".join(told.migration["prediction"]["keeps"])
        assert (
            f"gadgets.{group(world)}: Gadget.{group(world)} {world.resource_namespace}/theirs is of that kind" in keeps
        )
        undone = roll_back(world)
        assert undone.code == 0, undone.output
        assert world.destination.get(*CRD, f"gadgets.{group(world)}") is not None
        assert world.destination.get(f"{group(world)}/v1", "Gadget", "theirs", world.resource_namespace) is not None
        assert mine(world, world.destination, "ClusterRole") == [reader(world, "bound")]
        assert mine(world, world.destination, "ClusterRoleBinding") == [reader(world, "people")]
        assert len(undone.migration["rollback"]["kept_objects"]) == 2


def with_a_service(world: World) -> None:
    """What comes after definitions, rights and settings in the order of creation."""
    world.source.create(named("v1", "Service", "web", world.source_namespace, spec={"ports": [{"port": 80}]}))


def made_outside(world: World) -> tuple[bool, list[str], int]:
    """What a run has made on the destination outside of namespaces: the definition, the roles, how many bindings."""
    return (
        world.destination.get(*CRD, f"gadgets.{group(world)}") is not None,
        mine(world, world.destination, "ClusterRole"),
        len(mine(world, world.destination, "ClusterRoleBinding")),
    )


def all_of_it(world: World) -> tuple[bool, list[str], int]:
    return True, [reader(world, "bound"), reader(world, "local")], 1


NOTHING: tuple[bool, list[str], int] = (False, [], 0)


def test_a_restore_that_fails_half_way_takes_back_what_lives_in_no_namespace(world: World) -> None:
    with standing(world):
        with_a_service(world)
        mark = audit.mark("destination")
        with denied(world.destination, world.destination_namespace):
            failed = world.migrate()
        assert failed.code != 0
        assert DENIAL in failed.failure
        assert failed.migration["failed_phase"] == "EnsureFinalRestore"
        made = " ".join(evidence.described(evidence.our_writes("destination", mark)))
        for what in (f"customresourcedefinitions /gadgets.{group(world)}", f"clusterroles /{reader(world, 'bound')}"):
            assert f"create {what}" in made
        assert made_outside(world) == NOTHING
        assert not there(world.destination, world.destination_namespace)
        moved = world.migrate(*PLAN_TASK)
        assert moved.code == 0, moved.output
        assert made_outside(world) == all_of_it(world)


def test_a_run_that_is_cancelled_in_the_restore_takes_back_what_lives_in_no_namespace(world: World) -> None:
    with standing(world):
        with_a_service(world)
        with unanswered(world.destination, world.destination_namespace):
            run = world.start()
            run.wait_for("Trying again: the application is down")
            assert made_outside(world) == all_of_it(world)
            cancelled = call(world, "mig_migration", plan="app", cancel=True)
            assert (cancelled.code, cancelled.changed) == (0, 1), cancelled.output
            assert run.end().code != 0
        assert cancelled.migration["conditions"]["Canceled"]["status"] == "True"
        assert made_outside(world) == NOTHING
        assert not there(world.destination, world.destination_namespace)
        # The source's own are as they were.
        assert world.source.get(*CRD, f"gadgets.{group(world)}") is not None
        assert len(mine(world, world.source, "ClusterRole")) == 3


def test_objects_are_read_in_a_version_that_the_destination_serves(world: World) -> None:
    """The source prefers v2 and serves v1 as well; the destination's own definition knows v1 alone."""
    with standing(world, "v2", "v1"):
        define(world.destination, definition(world, "v1"))
        moved = world.migrate()
        assert moved.code == 0, moved.output
        assert moved.result("mig_plan")["incompatible"] == []
        assert world.destination.get(f"{group(world)}/v1", "Gadget", "one", world.destination_namespace)
        there = world.destination.get(*CRD, f"gadgets.{group(world)}")
        assert there is not None
        assert names.MIGRATED_BY_MIGPLAN_LABEL not in (there["metadata"].get("labels") or {})
        assert roll_back(world).code == 0
        assert world.destination.get(*CRD, f"gadgets.{group(world)}") is not None


def test_constraints_allow_the_accounts_of_the_plan(world: World) -> None:
    manifest = constraints_definition()
    name = manifest["metadata"]["name"]
    there = f"system:serviceaccount:{world.destination_namespace}:runner"
    with standing(world):
        try:
            for cluster in (world.source, world.destination):
                define(cluster, manifest)
            users = [
                f"system:serviceaccount:{world.source_namespace}:runner",
                "system:serviceaccount:kube-public:runner",
            ]
            world.source.create(named(f"{SECURITY}/v1", CONSTRAINTS, reader(world, "own"), users=users, priority=7))
            world.source.create(named(f"{SECURITY}/v1", CONSTRAINTS, "anyuid", users=users))
            told = world.migrate("--check", "--diff")
            assert any(
                line.startswith(f"{CONSTRAINTS}.{SECURITY} anyuid") for line in told.migration["prediction"]["stays"]
            )
            moved = world.migrate()
            assert moved.code == 0, moved.output
            (found,) = world.destination.list(f"{SECURITY}/v1", CONSTRAINTS)
            assert (found["users"], found["priority"]) == ([there], 7)
            assert roll_back(world).code == 0
            assert list(world.destination.list(f"{SECURITY}/v1", CONSTRAINTS)) == []
        finally:
            for cluster in (world.source, world.destination):
                cluster.delete(*CRD, name)


def test_without_a_version_in_common_nothing_begins_and_the_reason_is_told(world: World) -> None:
    with standing(world):
        define(world.destination, definition(world, "v2"))
        refused = world.migrate()
        assert refused.code != 0
        assert f"Gadget.{group(world)} {world.destination_namespace}/one" in refused.failure
        reason = f"the destination's own definition gadgets.{group(world)} serves v2 and not v1"
        assert reason in refused.failure
        assert refused.result("mig_plan")["incompatible"][0]["gvks"][0]["kind"] == "gadgets"
        assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
        assert mine(world, world.destination, "ClusterRole") == []

        # Left out, with one of the kinds that live in no namespace, the rest goes.
        names_of_kinds = [f"gadgets.{group(world)}", "clusterrolebindings.rbac.authorization.k8s.io"]
        changed = call(world, "mig_plan", name="app", excluded_resources=names_of_kinds)
        assert (changed.code, changed.changed) == (0, 1), changed.output
        moved = world.migrate(*PLAN_TASK)
        assert moved.code == 0, moved.output
        assert world.destination.get("v1", "ConfigMap", "settings", world.destination_namespace) is not None
        assert mine(world, world.destination, "ClusterRole") == [reader(world, "local")]
        assert mine(world, world.destination, "ClusterRoleBinding") == []
