# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which owner references are made again, and which are told as lost."""

from __future__ import annotations

import dataclasses
from typing import Any

from ansible_collections.openmig.mtc.plugins.module_utils.objects.links import Link, Place, links, owners_of
from ansible_collections.openmig.mtc.plugins.module_utils.objects.transforms import transform
from unit.objects.manifests import CONTEXT, live, notes

Manifest = dict[str, Any]
DATABASE = live("example.org/v1", "Database", name="main", metadata={"uid": "1"})


def owned(*owners: Manifest) -> Manifest:
    return live("v1", "Secret", name="password", metadata={"uid": "2", "ownerReferences": list(owners)})


def by(uid: str, **flags: bool) -> Manifest:
    return {"apiVersion": "example.org/v1", "kind": "Database", "name": "main", "uid": uid, **flags}


def test_an_owner_that_travels_is_the_owner_there() -> None:
    secret = owned(by("1", controller=True, blockOwnerDeletion=True), by("gone"))
    objects = [secret, DATABASE]
    assert owners_of(objects) == {"1"}
    settings = dataclasses.replace(CONTEXT, owners=owners_of(objects))
    flags = (("blockOwnerDeletion", True), ("controller", True))
    owner = (Place("example.org/v1", "Database", "main", "store"), flags)
    assert links(objects, settings) == [Link(Place("v1", "Secret", "password", "store"), (owner,))]
    result = transform(secret, settings)
    assert result.object is not None
    assert "ownerReferences" not in result.object["metadata"]
    assert notes(result) == ["metadata.ownerReferences: dropped: Database main of the source owned it"]


def test_nothing_is_linked_where_nobody_owns_anybody() -> None:
    objects = [DATABASE, owned(by("gone"))]
    assert owners_of(objects) == frozenset()
    assert links(objects, CONTEXT) == []
