# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inventory: which objects a run moves, and a digest of the form in which each is sent.

Without a replication repository there is no copy of the objects. The quiesced source is read again, and the inventory
tells whether it still says the same. Nothing of a Secret can be told from it: digests are keyed.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from ..resources import names
from ..resources.errors import PermanentError
from .manifest import Manifest, group_of, labels_of, name_of, namespace_of, pruned, without

PART_BYTES: Final = 512 * 1024
SCHEMA: Final = 1

OWN_LABELS: Final = (names.MIGRATED_BY_MIGMIGRATION_LABEL, names.MIGRATED_BY_MIGPLAN_LABEL)

SCALED: Final = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DeploymentConfig"})
"""Kinds whose replica count an autoscaler may change at any time."""


def reference(obj: Manifest) -> str:
    """``Deployment.apps shop/web``: kind with its group (none for the core's) and where it is. Unique in a cluster."""
    group, namespace = group_of(obj), namespace_of(obj)
    kind = f"{obj['kind']}.{group}" if group else obj["kind"]
    return f"{kind} {namespace}/{name_of(obj)}" if namespace else f"{kind} {name_of(obj)}"


def digest(transformed: Manifest, *, key: bytes | None = None, autoscaled: bool = False) -> str:
    """HMAC-SHA256, in hexadecimal, of the form that is sent, as canonical JSON, minus what may legitimately change.

    Left out are the labels of the run itself and, for an ``autoscaled`` workload, its replica count. The key should be
    one that only those can read who may read the Secrets; without one it is the run's UID, which keeps digests of two
    runs apart but does not protect a short secret from being guessed by a reader of the inventory.
    """
    run = labels_of(transformed).get(names.MIGRATED_BY_MIGMIGRATION_LABEL, "")
    for label in OWN_LABELS:
        transformed = pruned(transformed, "metadata", "labels", label)
    if autoscaled and transformed["kind"] in SCALED:
        transformed = without(transformed, "spec", "replicas")
    return hmac.new(key if key is not None else run.encode(), canonical(transformed), hashlib.sha256).hexdigest()


def canonical(value: Any) -> bytes:
    """The one form in which equal manifests are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def autoscaled(objects: Iterable[Manifest]) -> frozenset[str]:
    """The references of what the HorizontalPodAutoscalers among the objects scale; others are passed over."""
    found = set()
    for obj in objects:
        if obj.get("kind") != "HorizontalPodAutoscaler":
            continue
        target = (obj.get("spec") or {}).get("scaleTargetRef") or {}
        found.add(
            reference(
                {
                    "apiVersion": target.get("apiVersion", "v1"),
                    "kind": target.get("kind", ""),
                    "metadata": {"namespace": namespace_of(obj), "name": target.get("name", "")},
                }
            )
        )
    return frozenset(found)


def entries(objects: Collection[Manifest], *, key: bytes | None = None) -> dict[str, str]:
    """Reference and digest of each transformed object; replica counts that an autoscaler among them sets do not count.

    An autoscaler may act between two looks at the source, and that is no change that anybody made.
    """
    scaled = autoscaled(objects)
    found = {}
    for obj in objects:
        name = reference(obj)
        found[name] = digest(obj, key=key, autoscaled=name in scaled)
    return found


def encode(inventory: Mapping[str, str]) -> list[bytes]:
    """References and their digests, sorted, as gzip parts of at most PART_BYTES. The same entries give the same parts.

    The parts are pieces of one stream: they are read together, in order, and none may be missing.
    """
    lines = [json.dumps({"schema": SCHEMA, "entries": len(inventory)}, sort_keys=True)]
    lines += [f"{found} {name}" for name, found in sorted(inventory.items())]
    # Without a time in its header, so that a second encoding is equal to the first.
    packed = gzip.compress("\n".join(lines).encode(), compresslevel=9, mtime=0)
    return [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]


def decode(parts: Sequence[bytes]) -> dict[str, str]:
    """The entries of encode(). Raises PermanentError when a part is missing, damaged or of another schema."""
    try:
        head, *lines = gzip.decompress(b"".join(parts)).decode().split("\n")
        facts = json.loads(head)
        inventory = {}
        for line in lines:
            found, _space, name = line.partition(" ")
            inventory[name] = found
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise _unreadable(f"its parts do not make a whole ({type(error).__name__})") from error
    if facts.get("schema") != SCHEMA:
        raise _unreadable(f"it has schema {facts.get('schema')}, this collection reads {SCHEMA}")
    if facts.get("entries") != len(inventory):
        raise _unreadable(f"it should have {facts.get('entries')} entries and has {len(inventory)}")
    return inventory


def _unreadable(reason: str) -> PermanentError:
    return PermanentError(
        subject="Inventory",
        attempt="cannot be read",
        reason=reason,
        mend="Start a new migration; this one has lost its record of the objects",
    )


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """What is not the same any more: ``<reference> added``, ``removed`` or ``changed``, sorted."""
    told = [f"{name} added" for name in new.keys() - old.keys()]
    told += [f"{name} removed" for name in old.keys() - new.keys()]
    told += [f"{name} changed" for name in new.keys() & old.keys() if new[name] != old[name]]
    return sorted(told)
