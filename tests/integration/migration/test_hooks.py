# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steps of the user's own, run by a migration in the cluster: real Jobs from a real image, with Ansible in it.

Each playbook leaves a ConfigMap of a new name whenever it runs, so how often it ran can be counted afterwards.
"""

from __future__ import annotations

import base64
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import NotFound
from integration.conditions.tasks import perform
from integration.crds.conftest import role_on
from integration.migration import applications, evidence, processes
from integration.migration.calls import CALL, call, migration, record
from integration.migration.conftest import World
from integration.migration.playbooks import Run, Started, play
from integration.migration.waiting import until
from lab.images import HOOK_RUNNER
from lab.targets import targets

ACCOUNT = "worker"
JOB = ("batch/v1", "Job")

RUNS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - kubernetes.core.k8s:
        api_version: v1
        kind: ConfigMap
        generate_name: ran-{phase}-
        namespace: {namespace}
        resource_definition:
          data:
            MTC: "{{{{ lookup('env', 'MIGRATION_NAMESPACES') }}}} {{{{ lookup('env', 'MIGRATION_PLAN_NAME') }}}}"
            documents: "{{{{ lookup('env', 'migration_namespaces') }}}} {{{{ lookup('env', 'migplan_name') }}}}"
"""
WAITS = """
    - kubernetes.core.k8s_info:
        api_version: v1
        kind: ConfigMap
        name: go
        namespace: {namespace}
      register: found
      until: found.resources | length > 0
      retries: 300
      delay: 0.5
"""
FAILS = """
    - ansible.builtin.fail:
        msg: the imports do not stop
"""


@dataclass(frozen=True)
class Workshop:
    """A world with a namespace beside the application's on both clusters, in which hooks run and leave their traces."""

    world: World

    @property
    def namespace(self) -> str:
        return f"{self.world.name}-ops"

    @property
    def clusters(self) -> tuple[Cluster, Cluster]:
        return self.world.source, self.world.destination

    def hook(self, phase: str, cluster: str, *more: str, image: str = HOOK_RUNNER) -> tuple[str, dict[str, Any]]:
        """A call that makes the hook of a phase."""
        playbook = "".join((RUNS, *more)).format(phase=phase.lower(), namespace=self.namespace)
        options = {"name": phase.lower(), "target_cluster": cluster, "image": image}
        # As text the arguments' own templates would be filled in before the hook sees them.
        encoded = base64.b64encode(playbook.encode()).decode()
        return "mig_hook", {**options, "playbook_base64": encoded} if more != ("custom",) else {
            **options,
            "custom": True,
        }

    def use(self, phase: str, **changes: str) -> dict[str, Any]:
        """The hook of a phase as a plan names it."""
        where = {"execution_namespace": self.namespace, "service_account": ACCOUNT, **changes}
        return {"reference": {"name": phase.lower()}, "phase": phase, **where}

    def plan(self, *hooks: tuple[str, dict[str, Any]], uses: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Clusters, hooks and the plan are made; gives the results."""
        namespaces = [f"{self.world.source_namespace}:{self.world.destination_namespace}"]
        sides = {"source_cluster": "source", "destination_cluster": "destination"}
        calls: list[tuple[str, dict[str, Any]]] = [
            ("mig_cluster", {"name": "destination", "is_host_cluster": True}),
            ("mig_cluster", {"name": "source", "remote": {"kubeconfig": str(targets().source)}}),
            *hooks,
            ("mig_plan", {"name": "app", **sides, "namespaces": namespaces, "hooks": uses}),
        ]
        results = perform(calls, namespace=self.world.resource_namespace)
        assert [result["failed"] for result in results] == [False] * len(results), results
        return results

    def start(self) -> Started:
        """The migration, running."""
        where = {"kubeconfig": str(targets().destination), "namespace": self.world.resource_namespace}
        options = {**where, "plan": "app", "transfer_image": applications.IMAGE}
        return Started({"call_module": "mig_migration", "call_options": options}, playbook=CALL)

    def ran(self) -> list[tuple[str, dict[str, str]]]:
        """The traces of all hooks, oldest first: phase and data."""
        found = [
            (item["metadata"]["creationTimestamp"], item["metadata"]["name"].split("-")[1], item["data"])
            for cluster in self.clusters
            for item in cluster.list("v1", "ConfigMap", self.namespace)
            if item["metadata"]["name"].startswith("ran-")
        ]
        return [(phase, data) for _when, phase, data in sorted(found, key=lambda each: each[0])]

    def jobs(self) -> list[dict[str, Any]]:
        places = [(cluster, name) for cluster in self.clusters for name in (self.namespace, *self.world.namespaces)]
        return [job for cluster, name in places for job in cluster.list(*JOB, name)]

    def left_behind(self) -> list[str]:
        return evidence.scaffolding(self.clusters, [self.namespace, *self.world.namespaces])


@pytest.fixture(scope="module")
def definitions() -> None:
    """The control cluster knows the resources."""
    installed = role_on(targets().destination)()
    assert installed.code == 0, installed.output


@pytest.fixture
def workshop(definitions: None, world: World) -> Iterator[Workshop]:
    """Its namespaces, and an account in them that may write ConfigMaps there."""
    del definitions
    made = Workshop(world)
    metadata = {"name": ACCOUNT, "namespace": made.namespace}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "list"]}
    subject = {"kind": "ServiceAccount", **metadata}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT}
    for cluster in made.clusters:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made.namespace}})
        cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
        cluster.create({**rbac, "kind": "Role", "metadata": metadata, "rules": [rule]})
        cluster.create(
            {**rbac, "kind": "RoleBinding", "metadata": metadata, "roleRef": reference, "subjects": [subject]}
        )
    resources = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.resource_namespace}}
    world.destination.create(resources)
    yield made
    left = made.left_behind()
    for cluster in made.clusters:
        cluster.delete("v1", "Namespace", made.namespace)
    assert left == []


def settings(workshop: Workshop, **data: str) -> None:
    """An application of one ConfigMap: what hooks do is the same, and the test is short."""
    namespace = workshop.world.source_namespace
    workshop.world.source.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    metadata = {"name": "settings", "namespace": namespace}
    workshop.world.source.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def running(workshop: Workshop) -> bool:
    """Whether the one hook has left its trace and its Job has not ended."""
    return len(workshop.ran()) == 1 and [job["status"].get("active") for job in workshop.jobs()] == [1]


def go(cluster: Cluster, namespace: str) -> None:
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "go", "namespace": namespace}})


def told(run: Run) -> list[tuple[str, str, str]]:
    return [(row["phase"], row["cluster"], row["outcome"]) for row in run.migration["hooks"]]


def test_hooks_run_once_each_in_their_phases_also_over_a_kill(workshop: Workshop) -> None:
    world = workshop.world
    world.deploy(mebibytes=1, files=5)
    workshop.plan(
        workshop.hook("PreBackup", "source", WAITS),
        workshop.hook("PreRestore", "destination"),
        workshop.hook("PostRestore", "destination", "custom"),
        uses=[
            workshop.use("PreBackup"),
            workshop.use("PreRestore"),
            workshop.use("PostRestore", execution_namespace=world.destination_namespace, service_account="default"),
        ],
    )
    first = workshop.start()
    until(lambda: running(workshop), "the first hook runs", seconds=180)
    assert applications.replicas_ready(world.source, world.source_namespace) == (1, 1)
    processes.send(processes.tree(first.process.pid), signal.SIGKILL)
    first.end()
    go(world.source, workshop.namespace)

    run = migration(world)
    assert run.code == 0, run.output
    assert told(run) == [
        ("PreBackup", "source", "succeeded"),
        ("PreRestore", "destination", "succeeded"),
        ("PostRestore", "destination", "succeeded"),
    ]
    raw = f"{world.source_namespace}:{world.destination_namespace} app"
    assert workshop.ran() == [(phase, {"MTC": raw, "documents": raw}) for phase in ("prebackup", "prerestore")]
    assert any(line == f"MIGRATION_NAMESPACES={raw.split(maxsplit=1)[0]}" for line in run.migration["hooks"][2]["log"])
    assert any("PLAY RECAP" in line for line in run.migration["hooks"][0]["log"])
    steps = {step["name"]: step for step in run.migration["resource"]["status"]["pipeline"]}
    assert [name for name in steps if name.endswith("Hooks")] == [
        "PreBackupHooks",
        "PreRestoreHooks",
        "PostRestoreHooks",
    ]
    assert steps["PreRestoreHooks"]["progress"][0].endswith(": Succeeded")
    assert workshop.jobs() == []
    arrived = evidence.restored(world.destination, world.destination_namespace)
    assert [what for what in arrived if what.startswith("Job")] == []

    again = migration(world)
    assert (again.code, again.changed) == (0, 0), again.output
    assert len(workshop.ran()) == 2


def limited_to_one_restart(workshop: Workshop) -> Callable[[], bool]:
    """Lets Kubernetes give the Job up early: the six restarts of the template take five minutes."""

    def done() -> bool:
        for job in workshop.jobs():
            where = (job["metadata"]["name"], job["metadata"]["namespace"])
            try:
                workshop.world.source.patch(*JOB, *where, patch={"spec": {"backoffLimit": 0}})
            except NotFound:
                continue
            assert job["spec"]["backoffLimit"] == 6
            return True
        return False

    return done


def test_a_hook_that_fails_fails_the_run_before_anything_was_touched(workshop: Workshop) -> None:
    world = workshop.world
    settings(workshop, COLOUR="blue")
    workshop.plan(workshop.hook("PreBackup", "source", FAILS), uses=[workshop.use("PreBackup")])
    started = workshop.start()
    until(limited_to_one_restart(workshop), "the Job of the hook is there", seconds=180)
    run = started.end()
    assert run.code != 0
    for words in ("the hook prebackup of phase PreBackup has failed on the source", "BackoffLimitExceeded"):
        assert words in run.failure
    assert told(run) == [("PreBackup", "source", "failed")]
    assert any("the imports do not stop" in line for line in run.migration["hooks"][0]["log"])
    assert run.migration["conditions"]["Failed"]["reason"] == "PreBackupHooksFailed"
    steps = {step["name"]: step for step in run.migration["resource"]["status"]["pipeline"]}
    assert steps["PreBackupHooks"]["failed"]
    assert world.destination.get("v1", "Namespace", world.destination_namespace) is None
    assert record(world)["hooks"]["PreBackup"]["log"] == run.migration["hooks"][0]["log"]


def test_a_run_is_cancelled_while_its_hook_works(workshop: Workshop) -> None:
    settings(workshop, COLOUR="blue")
    workshop.plan(workshop.hook("PreBackup", "source", WAITS), uses=[workshop.use("PreBackup")])
    started = workshop.start()
    until(lambda: running(workshop), "the hook runs", seconds=180)
    ended = call(workshop.world, "mig_migration", plan="app", cancel=True)
    assert ended.code == 0, ended.output
    assert started.end().code != 0
    assert workshop.jobs() == []
    assert ended.migration["conditions"]["Canceled"]["status"] == "True"


@pytest.mark.sample
def test_a_hook_that_cannot_run_is_refused_before_the_start(workshop: Workshop) -> None:
    world = workshop.world
    settings(workshop, COLOUR="blue")
    workshop.plan(
        workshop.hook("PreBackup", "source"),
        workshop.hook("PostRestore", "destination"),
        uses=[
            workshop.use("PreBackup", service_account="nobody"),
            workshop.use("PostRestore", execution_namespace="no-such-namespace-8431"),
        ],
    )
    run = migration(world)
    assert run.code != 0
    for words in (
        f"ServiceAccount {workshop.namespace}/nobody: the hook prebackup of phase PreBackup cannot run",
        f"ServiceAccount no-such-namespace-8431/{ACCOUNT}: the hook postrestore of phase PostRestore cannot run",
    ):
        assert words in run.failure
    assert list(world.destination.list(names.API_VERSION, names.MIG_MIGRATION, world.resource_namespace)) == []


def test_an_image_that_nobody_has_fails_the_hook_and_not_the_night(workshop: Workshop) -> None:
    settings(workshop, COLOUR="blue")
    image = "localhost/openmig/no-such-image:1"
    workshop.plan(workshop.hook("PreBackup", "source", image=image), uses=[workshop.use("PreBackup")])
    run = migration(workshop.world, start_timeout=5)
    assert run.code != 0
    assert "the hook prebackup of phase PreBackup has failed on the source" in run.failure
    assert "ImagePull" in run.failure or "ErrImage" in run.failure


@pytest.mark.parametrize(("account", "words"), [(ACCOUNT, ""), ("default", "forbidden"), ("nobody", "does not exist")])
def test_a_playbook_is_tried_from_here_with_the_rights_of_its_account(
    workshop: Workshop, tmp_path: Path, account: str, words: str
) -> None:
    hook, play_file = tmp_path / "hook.yml", tmp_path / "try.yml"
    hook.write_text(RUNS.format(phase="try", namespace=workshop.namespace))
    variables = {
        "hook_runner_kubeconfig": str(targets().source),
        "hook_runner_playbook": str(hook),
        "hook_runner_namespaces": ["shop:shop-new", "web"],
        "hook_runner_plan": "shop",
        "hook_runner_execution_namespace": workshop.namespace,
        "hook_runner_service_account": account,
        "ansible_python_interpreter": sys.executable,
    }
    book = {"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": ["openmig.mtc.hook_runner"]}
    play_file.write_text(yaml.safe_dump([book]))
    run = play(variables, playbook=str(play_file))
    assert (run.code == 0) == (words == ""), run.output
    assert words in run.output
    raw = "shop:shop-new,web shop"
    assert workshop.ran() == ([] if words else [("try", {"MTC": raw, "documents": raw})])
