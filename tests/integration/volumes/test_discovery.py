# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Claims and their use, as the source cluster tells them."""

from __future__ import annotations

import time

from ansible_collections.openmig.mtc.plugins.module_utils.volumes import claims, sizing

from .conftest import MIB, World


def test_bound_claims_with_their_volumes(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a", "b"], "true")
    waiting = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "unbound", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "no-such-class",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    world.source.create(waiting)
    found = claims.discover(world.source, [namespace])
    assert [bound.name for bound in found] == ["a", "b"]
    assert all(bound.volume is not None and bound.capacity >= 190 * MIB for bound in found)
    assert {bound.volume_mode for bound in found} == {"Filesystem"}


def test_usage_is_the_volumes_own(world: World) -> None:
    namespace = world.namespace()
    world.application(namespace, ["a"], "head -c 30000000 /dev/urandom >/a/x; sync -f /a/x")
    end = time.monotonic() + 90
    while (used := sizing.usage(world.source, [(namespace, "a"), (namespace, "none")]))[(namespace, "a")] is None or (
        used[(namespace, "a")].used < 30_000_000  # type: ignore[union-attr]
    ):
        assert time.monotonic() < end, used
        time.sleep(2)
    measured = used[(namespace, "a")]
    assert measured is not None
    assert 30_000_000 <= measured.used < 60_000_000
    assert measured.capacity < 250 * MIB
    assert used[(namespace, "none")] is None
