# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts, their secrets and their rights."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, live, notes, sent

Manifest = dict[str, Any]


def test_references_to_generated_secrets_go() -> None:
    obj = live(
        "v1",
        "ServiceAccount",
        name="shop",
        secrets=[{"name": "shop-token-x2b4z"}, {"name": "shop-dockercfg-x2b4z"}],
        imagePullSecrets=[{"name": "shop-dockercfg-x2b4z"}, {"name": "mine"}, {"name": "web-dockercfg-x2b4z"}],
    )
    written = sent(obj)
    assert "secrets" not in written
    assert written["imagePullSecrets"] == [{"name": "mine"}, {"name": "web-dockercfg-x2b4z"}]


@pytest.mark.parametrize("name", ["shop-token-backup", "shop-token-aeiou", "shop-tokens-x2b4z", "xshop-token-x2b4z"])
def test_a_secret_with_another_name_is_the_users(name: str) -> None:
    obj = live("v1", "ServiceAccount", name="shop", secrets=[{"name": name}])
    assert sent(obj)["secrets"] == [{"name": name}]


def test_a_token_made_by_hand_is_filled_in_again() -> None:
    annotations = {"kubernetes.io/service-account.name": "shop", "kubernetes.io/service-account.uid": "1"}
    obj = live(
        "v1",
        "Secret",
        metadata={"annotations": annotations},
        type="kubernetes.io/service-account-token",
        data={"token": "dG9rZW4=", "ca.crt": "Y2E=", "namespace": "c2hvcA==", "extra": "ZXh0cmE="},
    )
    result = transform(obj, CONTEXT)
    assert result.object is not None
    assert result.object["data"] == {"extra": "ZXh0cmE="}
    assert result.object["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "shop"}
    assert notes(result) == ["data: dropped: the token of ServiceAccount shop is another one there"]
    del obj["data"]["extra"]
    assert "data" not in sent(obj)


def test_other_secrets_stay_whole() -> None:
    data = {"token": "dG9rZW4=", "ca.crt": "Y2E="}
    assert sent(live("v1", "Secret", type="Opaque", data=data))["data"] == data


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"kind": "ServiceAccount", "name": "a", "namespace": "shop"}, {"namespace": "store"}),
        ({"kind": "ServiceAccount", "name": "a", "namespace": "other"}, {}),
        ({"kind": "ServiceAccount", "name": "a"}, {}),
        ({"kind": "Group", "name": "system:serviceaccounts:shop"}, {"name": "system:serviceaccounts:store"}),
        ({"kind": "Group", "name": "system:serviceaccounts"}, {}),
        ({"kind": "User", "name": "system:serviceaccount:shop:a"}, {"name": "system:serviceaccount:store:a"}),
        ({"kind": "User", "name": "shop"}, {}),
    ],
)
def test_rights_go_to_the_new_namespace(subject: Manifest, expected: Manifest) -> None:
    obj = live("rbac.authorization.k8s.io/v1", "RoleBinding", roleRef={"name": "shop"}, subjects=[subject])
    written = sent(obj)
    assert written["subjects"] == [{**subject, **expected}]
    assert written["roleRef"] == {"name": "shop"}


def test_a_subject_outside_the_plan_is_told() -> None:
    subjects = [{"kind": "ServiceAccount", "name": "a", "namespace": name} for name in ("other", "shop", "store")]
    obj = live("rbac.authorization.k8s.io/v1", "RoleBinding", subjects=subjects)
    assert notes(transform(obj, CONTEXT)) == [
        "subjects: left: namespace other is not part of the plan",
        "subjects: rewritten: service accounts say the new namespace",
    ]
