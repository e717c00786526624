# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who wrote what on the source while the application moved, from the API server's own audit log.

Every write has to belong to somebody and to be declared. The migration's are held against a table of what it says it
does to a source (`docs/records.md`); what it makes there for itself it also has to have deleted. A write in the
application's namespace by somebody unknown is as red as an undeclared one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo.facts import Facts
from demo.rows import UNKNOWN, Row, shown
from demo.settings import ENGINE_AGENT, ENGINE_NAMESPACE, SHOP, USER_AGENT

Event = Mapping[str, Any]
ANY = frozenset({"create", "update", "patch", "delete", "deletecollection"})
CHANGES = frozenset({"update", "patch"})


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A class of writes that the migration says it makes on a source."""

    what: str
    resources: frozenset[str]
    verbs: frozenset[str]
    namespaces: frozenset[str]
    """`""` is for what lives in no namespace."""
    names: str = ""
    """How the object's name begins, where that is part of the declaration."""
    removed: bool = False
    """Whether what is created has to be deleted again by the end of the move."""


DECLARED = (
    Declared(
        what="quiesce: workloads to zero, the state before recorded on them",
        resources=frozenset(
            {
                *("deployments", "statefulsets", "daemonsets", "replicasets", "cronjobs", "jobs"),
                *("replicationcontrollers", "deploymentconfigs", "deployments/scale", "statefulsets/scale"),
            }
        ),
        verbs=CHANGES,
        namespaces=frozenset({SHOP}),
    ),
    Declared(
        what="scaffolding: pods and what they need, made and removed",
        resources=frozenset({"pods", "services", "secrets", "configmaps", "networkpolicies", "leases"}),
        verbs=ANY - {"deletecollection"},
        namespaces=frozenset({SHOP}),
        names="openmig-",
        removed=True,
    ),
    Declared(
        what="scaffolding: commands in its own pods",
        resources=frozenset({"pods/exec"}),
        verbs=frozenset({"create", "get"}),
        namespaces=frozenset({SHOP}),
        names="openmig-",
    ),
    Declared(
        what="records: adopt's account and token",
        resources=frozenset({"serviceaccounts", "serviceaccounts/token"}),
        verbs=ANY,
        namespaces=frozenset({ENGINE_NAMESPACE}),
    ),
    Declared(
        what="records: adopt's namespace and rights",
        resources=frozenset({"namespaces", "clusterroles", "clusterrolebindings"}),
        verbs=ANY,
        # A request for a namespace that exists is logged as lying in that namespace.
        namespaces=frozenset({"", ENGINE_NAMESPACE}),
        names="openmig",
    ),
)


def row(events: Iterable[Event] | None, facts: Facts | None) -> Row:
    """The verdict over the events of the move; `events` is None where the clusters are the user's own."""
    what = "the source's audit log"
    if events is None:
        return Row(what=what, source="no audit log at hand", destination="(clusters of your own)", good=True)
    if facts is None:
        return Row(what=what, source=UNKNOWN, destination="when the move was is not known", good=False)
    within = [event for event in events if facts.began <= _moment(event) <= facts.ended]
    sorted_out = judge(within)
    return Row(
        what=what,
        source=f"{sorted_out.declared.total()} writes of the migration, all declared"
        if not sorted_out.others
        else f"{sorted_out.declared.total()} declared writes",
        destination=f"{len(sorted_out.others)} others"
        if sorted_out.declared
        else "none of the migration's writes was seen",
        good=not sorted_out.others and bool(sorted_out.declared),
        details=[*shown(sorted_out.others), *(f"{count} x {name}" for name, count in sorted_out.declared.items())],
    )


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Declared writes by class, and every other write as a sentence."""

    declared: Counter[str]
    others: list[str]


def judge(writes: Iterable[Event]) -> Judgement:
    """Sort the writes; what a Kubernetes component or the demo itself wrote is neither."""
    declared: Counter[str] = Counter()
    others: list[str] = []
    made: dict[tuple[str, str], str] = {}
    for event in writes:
        if is_migration(event):
            found = next((entry for entry in DECLARED if _covers(entry, event)), None)
            if found is None:
                others.append(f"not declared: {_sentence(event)}")
                continue
            declared[found.what] += 1
            if found.removed:
                _follow(made, event)
        elif _namespace(event) == SHOP and not _is_component(event) and not _is_demo(event):
            others.append(f"by somebody else: {_sentence(event)}")
    others += [f"made and not removed: {sentence}" for sentence in made.values()]
    return Judgement(declared=declared, others=others)


def is_migration(event: Event) -> bool:
    """By the user agent, and by the service account that `adopt` makes."""
    account = f"system:serviceaccount:{ENGINE_NAMESPACE}:"
    return str(event.get("userAgent", "")).startswith(ENGINE_AGENT) or str(event["user"]["username"]).startswith(
        account
    )


def _covers(entry: Declared, event: Event) -> bool:
    reference = event.get("objectRef") or {}
    return (
        _resource(event) in entry.resources
        and event["verb"] in entry.verbs
        and _namespace(event) in entry.namespaces
        and str(reference.get("name", "")).startswith(entry.names)
    )


def _follow(made: dict[tuple[str, str], str], event: Event) -> None:
    """Keep what was made until it is deleted."""
    if event["verb"] == "create":
        made[_object(event)] = _sentence(event)
    elif event["verb"] == "delete":
        made.pop(_object(event), None)


def _is_component(event: Event) -> bool:
    """The cluster at work on what others asked for: controllers, nodes, schedulers, its own service accounts."""
    return str(event["user"]["username"]).startswith("system:")


def _is_demo(event: Event) -> bool:
    return str(event.get("userAgent", "")).startswith(USER_AGENT)


def _resource(event: Event) -> str:
    reference = event.get("objectRef") or {}
    resource, sub = reference.get("resource", ""), reference.get("subresource")
    # The status and the finalizing of an object are the object's; a command in a pod is something of its own.
    return f"{resource}/{sub}" if sub and sub not in {"status", "finalize"} else str(resource)


def _namespace(event: Event) -> str:
    return str((event.get("objectRef") or {}).get("namespace", ""))


def _object(event: Event) -> tuple[str, str]:
    return _resource(event), str((event.get("objectRef") or {}).get("name", ""))


def _sentence(event: Event) -> str:
    reference = event.get("objectRef") or {}
    name = f"{_namespace(event)}/{reference.get('name', '')}".strip("/")
    who = f"{event['user']['username']} ({str(event.get('userAgent', ''))[:40]})"
    return f"{event['verb']} {_resource(event)} {name} by {who}"


def _moment(event: Event) -> float:
    return datetime.fromisoformat(str(event["stageTimestamp"])).timestamp()
