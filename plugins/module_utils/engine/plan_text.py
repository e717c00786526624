# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A foretold migration as text, the digest that stands for it, and in what two of them differ.

The digest covers what would be done: not what is merely measured (the use of a volume), what stays where it is, what
may change while a run goes on, nor whether an object is created or was created by an earlier run of the plan. So a
plan that was looked at yesterday is still the same after a pass over the volumes, and no longer the same once
anything that it would move has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..resources.digest import observed_digest
from .intent import Intent

PREFIX: Final = "sha256:"
SENT: Final = frozenset({"create", "adopt", "equal", "merge"})
"""Actions that all mean: the object will be there in this form."""
SHOWN: Final = 20
_MASKED_VALUES: Final = 12


def digest_of(told: Mapping[str, Any]) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return PREFIX + observed_digest({"done": done(told)})


def lines(told: Mapping[str, Any]) -> list[str]:
    """All of it, for people; what was merely measured comes last."""
    found = [f"namespace {source} -> {target}" for source, target in told["namespaces"].items()]
    found += [f"option {name}: {value}" for name, value in told["options"].items()]
    found += [f"phase {name}" for name in told["phases"]]
    for row in told["volumes"]:
        found.append(_volume(row))
        found += [f"    exclude {pattern}" for pattern in row["excludes"]]
    found += [_hook(row) for row in told["hooks"]]
    found += [f"stop {workload}" for workload in told["stops"]]
    found += [f"point {workload} to the new claims" for workload in told.get("repoints", ())]
    for row in told["objects"]:
        found.append(f"{row['action']} {row['reference']} (from {row['source']}), form {row['form'][:_MASKED_VALUES]}")
        found += [f"    {line}" for line in row["patch"]]
        found += [f"    note: {note}" for note in row["notes"]]
    found += [f"stays: {what}" for what in told["stays"]]
    found += [f"warning: {text}" for text in told["warnings"]]
    found += [f"blocked: {reason}" for reason in told["blocking"]]
    found += [f"accepted: {what}" for what in told["accepted"]]
    found += [f"not checked: {what}" for what in told["not_checked"]]
    return found + measured(told)


def measured(told: Mapping[str, Any]) -> list[str]:
    """How much of each volume is in use, in lines of their own: this alone may differ between two looks at a plan that
    is the same, since applications write and a kubelet measures a young pod late."""
    return [
        f"measured: volume {row['source']} holds "
        + ("an unknown amount" if row["used_bytes"] is None else f"{row['used_bytes']} bytes")
        for row in told["volumes"]
    ]


def done(told: Mapping[str, Any]) -> list[str]:
    """What would be done, one line each: what the digest covers and what differences are told in."""
    found = [f"namespace {source} -> {target}" for source, target in told["namespaces"].items()]
    found += [f"option {name}: {value}" for name, value in told["options"].items() if name not in Intent.changeable]
    found += [f"phase {name}" for name in told["phases"]]
    for row in told["volumes"]:
        found.append(_volume(row))
        found += [f"exclude {pattern} of {row['source']}" for pattern in row["excludes"]]
    found += [_hook(row) for row in told["hooks"]]
    found += [f"stop {workload}" for workload in told["stops"]]
    found += [f"point {workload} to the new claims" for workload in told.get("repoints", ())]
    for row in told["objects"]:
        action = "send" if row["action"] in SENT else row["action"]
        found.append(f"{action} {row['reference']} (from {row['source']}), form {row['form']}")
    return found


def differences(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """What two lists of ``done`` differ in, each difference by what it is about; at most some dozens."""
    old, new = {_about(line): line for line in before}, {_about(line): line for line in after}
    found = []
    for about in sorted(old.keys() | new.keys()):
        if about not in new:
            found.append(f"no longer: {_short(old[about])}")
        elif about not in old:
            found.append(f"new: {_short(new[about])}")
        elif old[about] != new[about]:
            found.append(f"changed: {_short(new[about])}")
    return found if len(found) <= SHOWN else [*found[:SHOWN], f"and {len(found) - SHOWN} more"]


def summary(told: Mapping[str, Any]) -> dict[str, Any]:
    """The figures."""
    actions = [row["action"] for row in told["objects"]]
    used = [row["used_bytes"] for row in told["volumes"] if row["used_bytes"] is not None]
    return {
        "namespaces": len(told["namespaces"]),
        "objects": {action: actions.count(action) for action in sorted(set(actions))},
        "volumes": len(told["volumes"]),
        "used_bytes": sum(used),
        "volumes_of_unknown_use": len(told["volumes"]) - len(used),
        "stops": len(told["stops"]),
        "hooks": len(told["hooks"]),
        "stays": len(told["stays"]),
        "warnings": len(told["warnings"]),
        "blocking": len(told["blocking"]),
        "accepted": len(told["accepted"]),
    }


def _volume(row: Mapping[str, Any]) -> str:
    modes = ",".join(row["access_modes"])
    return (
        f"volume {row['source']} -> {row['target']}, class {row['storage_class']}, {modes}, "
        f"{row['size']}, by {row['method']}"
    )


def _hook(row: Mapping[str, Any]) -> str:
    return f"hook {row['phase']}: {row['name']} in {row['namespace']} as {row['service_account']}"


def _about(line: str) -> str:
    """The part of a line of ``done`` that stays when only how it is done changes."""
    for mark in (", form ", ", class "):
        line = line.partition(mark)[0]
    words = line.split(" ")
    return f"option {words[1]}" if words[0] == "option" else line.partition(" ")[2]


def _short(line: str) -> str:
    head, mark, form = line.partition(", form ")
    return f"{head}{mark}{form[:_MASKED_VALUES]}"
