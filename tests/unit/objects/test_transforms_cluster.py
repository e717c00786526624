# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lives in no namespace: rights, constraints, definitions."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects import definitions
from ansible_collections.openmig.mtc.plugins.module_utils.objects.compare import content_differences
from ansible_collections.openmig.mtc.plugins.module_utils.objects.existing import State, judge
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms_cluster import is_platform_role
from unit.objects.manifests import CONTEXT, RUN_LABELS, live, notes, sent

Manifest = dict[str, Any]
RBAC = "rbac.authorization.k8s.io/v1"


def shared(api_version: str, kind: str, **body: Any) -> Manifest:
    """An object of no namespace as a server has it."""
    obj = live(api_version, kind, **body)
    del obj["metadata"]["namespace"]
    return obj


def account(namespace: str, name: str = "runner") -> Manifest:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def binding(*subjects: Manifest) -> Manifest:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"}
    return shared(RBAC, "ClusterRoleBinding", roleRef=role, subjects=list(subjects))


def test_a_binding_of_the_plans_own_accounts_stays_as_it_is() -> None:
    mine = binding(account("same"))
    result = sent(mine)
    assert result["subjects"] == [account("same")]
    assert result["metadata"] == {"name": "web", "labels": RUN_LABELS}


@pytest.mark.parametrize(
    ("subject", "there"),
    [
        (account("shop"), account("store")),
        (
            {"kind": "User", "name": "system:serviceaccount:shop:a"},
            {"kind": "User", "name": "system:serviceaccount:store:a"},
        ),
        (
            {"kind": "Group", "name": "system:serviceaccounts:shop"},
            {"kind": "Group", "name": "system:serviceaccounts:store"},
        ),
    ],
)
def test_others_stay_out_and_ours_say_the_new_namespace_under_a_name_of_their_own(
    subject: Manifest, there: Manifest
) -> None:
    mine = binding(account("theirs"), {"kind": "Group", "name": "people"}, subject)
    first = transform(mine, CONTEXT)
    assert first.object is not None
    assert first.object["subjects"] == [there]
    assert first.object["metadata"]["name"].startswith("web-")
    assert first.object["roleRef"] == mine["roleRef"]
    assert notes(first)[0] == "subjects: rewritten: accounts that are not of the plan stay out"
    # Whoever else has moved a part of the binding has another name for it; the same plan always has the same.
    assert sent(mine) == first.object
    assert sent(binding(account("same")))["metadata"]["name"] != first.object["metadata"]["name"]


def test_a_constraint_allows_the_plans_own_accounts_only() -> None:
    found = shared(
        "security.openshift.io/v1",
        "SecurityContextConstraints",
        allowPrivilegedContainer=True,
        users=["system:admin", "system:serviceaccount:shop:runner", "system:serviceaccount:theirs:runner"],
        groups=["system:serviceaccounts:shop", "system:nodes"],
    )
    written = sent(found)
    assert written["users"] == ["system:serviceaccount:store:runner"]
    assert written["groups"] == ["system:serviceaccounts:store"]
    assert written["allowPrivilegedContainer"]
    assert written["metadata"]["name"] != "web"


def test_gathered_rules_are_gathered_there() -> None:
    rule = {"clusterRoleSelectors": [{"matchLabels": {"to": "reader"}}]}
    role = shared(RBAC, "ClusterRole", aggregationRule=rule, rules=[{"verbs": ["get"]}])
    written = sent(role)
    assert "rules" not in written
    assert content_differences(written, {**written, "rules": [{"verbs": ["list"]}]}) == []
    plain = sent(shared(RBAC, "ClusterRole", rules=[{"verbs": ["get"]}]))
    assert content_differences(plain, {**plain, "rules": [{"verbs": ["get"]}, {"verbs": ["list"]}]}) != []


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("cluster-admin", {}, True),
        ("system:node", {}, True),
        ("view", {}, True),
        ("viewer", {}, False),
        ("reader", {"kubernetes.io/bootstrapping": "rbac-defaults"}, True),
    ],
)
def test_roles_of_the_platform(name: str, labels: Manifest, expected: bool) -> None:
    assert is_platform_role(shared(RBAC, "ClusterRole", name=name, metadata={"labels": labels})) is expected


def definition(*versions: tuple[str, bool], **spec: Any) -> Manifest:
    listed = [{"name": name, "served": served} for name, served in versions]
    return shared(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        spec={"group": "example.com", "names": {"kind": "Widget"}, "versions": listed, **spec},
    )


def test_a_definition_brings_the_kinds_that_it_serves_and_no_webhook() -> None:
    found = definition(("v1", True), ("v1alpha1", False), conversion={"strategy": "Webhook", "webhook": {}})
    assert definitions.brought([found, live("v1", "ConfigMap")]) == {("example.com/v1", "Widget")}
    assert sent(found)["spec"]["conversion"] == {"strategy": "None"}
    assert [note.kind for note in transform(found, CONTEXT).notes] == ["left", "dropped"]
    old = shared(
        "apiextensions.k8s.io/v1beta1",
        "CustomResourceDefinition",
        spec={"group": "example.com", "version": "v1", "names": {"kind": "Widget"}},
    )
    assert definitions.kinds_of(old) == [("example.com/v1", "Widget")]


def test_a_definition_alone_does_nothing_and_that_is_said() -> None:
    tended = "whoever tends Widget objects has to be installed on the destination, or nothing happens to them"
    found = definition(("v1", True))
    assert notes(transform(found, CONTEXT)) == [f"spec.names.kind: left: {tended}"]
    (told,) = definitions.untended([found, live("v1", "ConfigMap")])
    assert told == f"CustomResourceDefinition {found['metadata']['name']} is brought along: {tended}"


def test_a_definition_that_is_there_is_never_touched() -> None:
    there = definition(("v2", True))
    assert judge(sent(definition(("v1", True))), there).state is State.EQUAL
    assert judge(sent(definition(("v1", True))), None).state is State.ABSENT


def test_a_definition_counts_once_its_names_are_taken() -> None:
    def told(established: str, names: str) -> Manifest:
        conditions = [
            {"type": "NamesAccepted", "status": names, "message": "a word for it"},
            {"type": "Established", "status": established},
        ]
        return {**definition(("v1", True)), "status": {"conditions": conditions}}

    assert definitions.is_established(told("True", "True"))
    assert not definitions.is_established(definition(("v1", True)))
    assert definitions.refused_names(told("False", "False")) == "a word for it"
    assert definitions.refused_names(told("False", "True")) is None
