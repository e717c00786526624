# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The round trip: from the source's live objects to the destination's, and what a second or a killed one does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.objects import inventory
from ansible_collections.openmig.mtc.plugins.module_utils.objects.apply import (
    ApplyReport,
    State,
    preview,
)
from ansible_collections.openmig.mtc.plugins.module_utils.objects.context import TransformContext
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import (
    Invalid,
    LeaseLost,
    NotFound,
    PermanentError,
    Refused,
)

from .conftest import sent_from
from .sending import apply, config_map, labelled, there

Manifest = dict[str, Any]


@pytest.mark.sample
def test_all_kinds_arrive_as_they_were_sent(
    destination: Cluster, sent: list[Manifest], context: TransformContext, empty: str
) -> None:
    before = preview(destination, sent)
    assert {finding.state for finding in before} == {State.ABSENT, State.MERGED}
    report = apply(destination, sent, context)
    assert report.differences == ()
    assert report.foreign == report.adopted == report.merged == ()
    assert report.equal == (f"ServiceAccount {empty}/default",)
    assert len(report.created) == len(sent) - 1
    live = {
        inventory.reference(obj): obj
        for kind in {(obj["apiVersion"], obj["kind"]) for obj in sent}
        for obj in destination.list(*kind, empty)
    }
    chosen = live[f"Service {empty}/chosen"]["spec"]["ports"]
    wanted = next(obj for obj in sent if obj["metadata"]["name"] == "chosen")["spec"]["ports"]
    assert chosen[0]["nodePort"] == wanted[0]["nodePort"], "asked for by hand"
    assert "nodePort" not in wanted[1], "allocated by the source"
    assert live[f"Service {empty}/alias"]["spec"]["externalName"] == f"web.{empty}.svc.cluster.local"
    assert live[f"ConfigMap {empty}/settings"]["data"]["backend"] == f"http://web.{empty}.svc.cluster.local:8080/path"
    subjects = live[f"RoleBinding.rbac.authorization.k8s.io {empty}/reader"]["subjects"]
    assert [subject.get("namespace") for subject in subjects] == [empty, None]
    assert subjects[1]["name"] == f"system:serviceaccounts:{empty}"


def test_again_changes_nothing(
    destination: Cluster, sent: list[Manifest], context: TransformContext, empty: str
) -> None:
    apply(destination, sent, context)
    versions = _versions(destination, sent, empty)
    again = apply(destination, sent, context)
    assert not again.changed
    assert len(again.equal) == len(sent)
    # Controllers write the status of workloads meanwhile; configuration is nobody's to touch.
    quiet = ("ConfigMap", "Secret", "Role", "NetworkPolicy", "Widget")
    now = _versions(destination, sent, empty)
    assert {key: now[key] for key in now if key.startswith(quiet)} == {
        key: versions[key] for key in versions if key.startswith(quiet)
    }
    assert {finding.state for finding in preview(destination, sent)} == {State.EQUAL, State.MERGED}


def _versions(destination: Cluster, sent: list[Manifest], namespace: str) -> dict[str, str]:
    return {
        inventory.reference(obj): obj["metadata"]["resourceVersion"]
        for kind in {(obj["apiVersion"], obj["kind"]) for obj in sent}
        for obj in destination.list(*kind, namespace)
    }


@pytest.mark.parametrize("requests", [1, 9, 25])
def test_killed_anywhere_and_run_again_reaches_the_same_end(
    destination: Cluster, sent: list[Manifest], context: TransformContext, empty: str, requests: int
) -> None:
    """The fence stops the run after some requests, wherever it is then."""
    left = [requests]
    lock = threading.Lock()

    def fence() -> None:
        with lock:
            left[0] -= 1
            if left[0] < 0:
                raise LeaseLost(subject="Lease", attempt="taken over")

    destination.fence = fence
    try:
        with pytest.raises(LeaseLost):
            apply(destination, sent, context)
    finally:
        destination.fence = None
    report = apply(destination, sent, context)
    assert report.differences == ()
    assert sorted(report.created + report.equal + report.merged) == sorted(map(inventory.reference, sent))
    assert report.created
    assert {finding.state for finding in preview(destination, sent)} == {State.EQUAL, State.MERGED}


def test_somebody_elses_object_stops_the_run_by_name(
    destination: Cluster, context: TransformContext, empty: str
) -> None:
    destination.create(config_map(empty, "taken", key="theirs"))
    mine = [labelled(config_map(empty, name, key="ours"), context) for name in ("free", "taken")]
    found = {finding.reference: finding for finding in preview(destination, mine)}
    assert found[f"ConfigMap {empty}/taken"].state is State.FOREIGN
    assert found[f"ConfigMap {empty}/taken"].differences == ("data.key (another value)",)
    with pytest.raises(Refused, match=f"ConfigMap {empty}/taken") as error:
        apply(destination, mine, context)
    assert "theirs" not in error.value.message
    assert "ours" not in error.value.message
    kept = apply(destination, mine, context, policy="keep")
    assert kept.foreign == (f"ConfigMap {empty}/taken",)
    assert there(destination, empty, "taken")["data"] == {"key": "theirs"}
    updated = apply(destination, mine, context, policy="update")
    assert updated.updated == (f"ConfigMap {empty}/taken",)
    live = there(destination, empty, "taken")
    assert live["data"] == {"key": "ours"}
    assert "labels" not in live["metadata"], "a rollback must not remove what was there before"


def test_more_than_was_sent_is_a_difference_and_update_removes_it(
    destination: Cluster, context: TransformContext, empty: str
) -> None:
    destination.create(config_map(empty, "taken", key="ours", extra="theirs"))
    mine = [labelled(config_map(empty, "taken", key="ours"), context)]
    assert preview(destination, mine)[0].state is State.FOREIGN
    apply(destination, mine, context, policy="update")
    assert there(destination, empty, "taken")["data"] == {"key": "ours"}


def test_an_earlier_run_of_the_plan_is_adopted(destination: Cluster, context: TransformContext, empty: str) -> None:
    earlier = TransformContext(namespace_mapping={}, migplan_uid=context.migplan_uid, migmigration_uid="run-earlier")
    apply(destination, [labelled(config_map(empty, name, key="old"), earlier) for name in ("same", "other")], earlier)
    mine = [
        labelled(config_map(empty, "same", key="old"), context),
        labelled(config_map(empty, "other", key="new"), context),
    ]
    assert {finding.state for finding in preview(destination, mine)} == {State.OURS}
    report = apply(destination, mine, context)
    assert len(report.adopted) == 2
    for name, value in (("same", "old"), ("other", "new")):
        live = there(destination, empty, name)
        assert live["data"] == {"key": value}
        assert live["metadata"]["labels"][names.MIGRATED_BY_MIGMIGRATION_LABEL] == context.migmigration_uid


def test_all_failures_of_a_wave_are_named_and_the_next_wave_is_not_begun(
    destination: Cluster, context: TransformContext, empty: str
) -> None:
    bad = [labelled(config_map(empty, f"bad-{number}"), context) for number in range(3)]
    for obj in bad:
        obj["data"] = {"no/such key": "secret value"}
    service = labelled(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "later", "namespace": empty},
            "spec": {"ports": [{"port": 1}]},
        },
        context,
    )
    good = labelled(config_map(empty, "good", key="value"), context)
    with pytest.raises(PermanentError) as error:
        apply(destination, [service, *bad, good], context)
    assert error.value.message.startswith("3 objects: not created on the destination")
    assert all(f"{empty}/bad-{number}" in error.value.message for number in range(3))
    assert destination.get("v1", "ConfigMap", "good", empty)
    assert destination.get("v1", "Service", "later", empty) is None
    with pytest.raises(Invalid, match=f"ConfigMap {empty}/bad-0"):
        apply(destination, bad[:1], context)


def test_a_missing_namespace_is_named(destination: Cluster, context: TransformContext, target: str) -> None:
    mine = [labelled(config_map(target, "one", key="value"), context)]
    assert preview(destination, mine)[0].state is State.ABSENT
    with pytest.raises(NotFound, match="Create the namespace first"):
        apply(destination, mine, context)


def test_an_unserved_kind_is_found_before(destination: Cluster, context: TransformContext, empty: str) -> None:
    gadget = {"apiVersion": "none.openmig.test/v1", "kind": "Gadget", "metadata": {"name": "one", "namespace": empty}}
    assert preview(destination, [gadget])[0].state is State.UNSERVED
    one = labelled(config_map(empty, "one", key="value"), context)
    with pytest.raises(Refused, match=r"1 kinds are not served there: Gadget \(none.openmig.test/v1, 2 objects\)"):
        apply(destination, [one, gadget, gadget], context)
    assert destination.get("v1", "ConfigMap", "one", empty) is None


def test_an_object_that_is_leaving_is_waited_for(destination: Cluster, context: TransformContext, empty: str) -> None:
    old = config_map(empty, "leaving", key="old")
    old["metadata"]["finalizers"] = ["objects.openmig.test/wait"]
    destination.create(old)
    destination.delete("v1", "ConfigMap", "leaving", empty)
    mine = [labelled(config_map(empty, "leaving", key="new"), context)]
    assert preview(destination, mine)[0].state is State.LEAVING

    def let_go() -> None:
        destination.patch("v1", "ConfigMap", "leaving", empty, patch={"metadata": {"finalizers": None}})

    timer = threading.Timer(1.0, let_go)
    timer.start()
    report = apply(destination, mine, context)
    timer.join()
    assert report.created == (f"ConfigMap {empty}/leaving",)


def test_the_default_account_is_merged_and_never_ours(
    source: Cluster, destination: Cluster, deployed: list[Manifest], context: TransformContext, empty: str
) -> None:
    namespace = deployed[0]["metadata"]["namespace"]
    source.patch(
        "v1",
        "ServiceAccount",
        "default",
        namespace,
        patch={"imagePullSecrets": [{"name": "registry"}], "automountServiceAccountToken": False},
    )
    destination.patch("v1", "ServiceAccount", "default", empty, patch={"imagePullSecrets": [{"name": "theirs"}]})
    mine = sent_from(source, namespace, context, included=["serviceaccounts"])
    report = apply(destination, mine, context)
    assert report.merged == (f"ServiceAccount {empty}/default",)
    live = there(destination, empty, "default", "ServiceAccount")
    assert live["imagePullSecrets"] == [{"name": "theirs"}, {"name": "registry"}]
    assert live["automountServiceAccountToken"] is False
    assert "labels" not in live["metadata"]
    assert apply(destination, mine, context).merged == ()


def test_requests_are_counted_by_kinds_and_not_by_objects(
    destination: Cluster, context: TransformContext, empty: str
) -> None:
    """Looking costs one list; creating one request each; going on with everything there hardly more than looking."""
    mine = [labelled(config_map(empty, f"settings-{number:03}", key="value"), context) for number in range(400)]

    def requests(work: Callable[[], object]) -> int:
        before = destination.requests
        work()
        return destination.requests - before

    assert requests(lambda: preview(destination, mine)) == 1
    assert requests(lambda: apply(destination, mine, context)) == 400
    assert requests(lambda: preview(destination, mine)) == 1
    # The first few are tried (a creation and a read each), then one list tells of the others.
    assert requests(lambda: apply(destination, mine, context)) <= 2 * 64 + 1


def test_a_second_apply_while_one_runs_reaches_the_same_end(
    destination: Cluster, sent: list[Manifest], context: TransformContext, empty: str
) -> None:
    """Two processes of one run, as when a lease is lost late: whoever comes second finds equal objects."""
    reports: list[ApplyReport] = []
    threads = [
        threading.Thread(target=lambda: reports.append(apply(destination, sent, context))) for _thread in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 2
    assert sorted(reports[0].created + reports[1].created) == sorted(set(reports[0].created + reports[1].created))
    assert len(reports[0].created) + len(reports[1].created) == len(sent) - 1
    assert reports[0].differences == reports[1].differences == ()
