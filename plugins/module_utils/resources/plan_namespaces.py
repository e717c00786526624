# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a plan's namespaces can be read on the source and made on the destination.

Source of the rules: MTC pkg/controller/migplan, validation; unlike there, too long a name does not hide a conflict of
permissions.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import names, namespaces
from .condition_names import Category, PlanCondition, Reason
from .conditions import Conditions
from .plan_facts import ClusterFacts, PlanFacts
from .plan_types import report_intra_cluster


def check_list(facts: PlanFacts, conditions: Conditions) -> None:
    """How many there are, how long their names, and whose files they may hold."""
    pairs = facts.pairs
    if not pairs:
        message = "The plan names no namespace."
        conditions.set(PlanCondition.NAMESPACE_LIST_EMPTY, Category.CRITICAL, Reason.NOT_FOUND, message)
        return
    if len(pairs) > facts.limits.namespace_limit:
        message = f"The plan has {len(pairs)} namespaces, more than the limit of {facts.limits.namespace_limit}."
        conditions.set(PlanCondition.NAMESPACE_LIMIT_EXCEEDED, Category.CRITICAL, Reason.LIMIT_EXCEEDED, message)
        return
    if facts.route_name_limit is not None:
        long = [pair.destination for pair in pairs if len(pair.destination) > facts.route_name_limit]
        if long:
            message = f"Longer than the {facts.route_name_limit} characters that fit into a route's host: []."
            conditions.set(
                PlanCondition.NAMESPACE_LENGTH_EXCEEDED, Category.WARN, Reason.LENGTH_EXCEEDED, message, items=long
            )
    _ownership(facts, conditions)


def _ownership(facts: PlanFacts, conditions: Conditions) -> None:
    """An existing destination namespace whose users may own other files than the source's."""
    here, there = facts.source.namespaces, facts.destination.namespaces
    if here is None or there is None:
        return
    differing = [
        str(pair)
        for pair in facts.pairs
        if pair.source in here
        and pair.destination in there
        and any(here[pair.source].get(key) != there[pair.destination].get(key) for key in names.SCC_ANNOTATIONS)
    ]
    if differing:
        message = "The destination namespace exists and allows other user and group ids than the source: []."
        report_intra_cluster(conditions, Category.WARN, Reason.CONFLICTING_PERMISSIONS, message, items=differing)


def check_sources(facts: PlanFacts, conditions: Conditions) -> None:
    """Each once, and each there."""
    repeated = namespaces.repeated(pair.source for pair in facts.pairs)
    if repeated:
        conditions.set(
            PlanCondition.DUPLICATE_SOURCE_NAMESPACE,
            Category.CRITICAL,
            Reason.DUPLICATE_NAMESPACES,
            "Named as source more than once: [].",
            items=repeated,
        )
        return
    _existence(
        facts.source, [pair.source for pair in facts.pairs], conditions, PlanCondition.SOURCE_NAMESPACE_NOT_FOUND
    )


def check_destinations(facts: PlanFacts, conditions: Conditions) -> None:
    """Each once, and with a possible name. They need not exist, except the one that the engine itself works in."""
    repeated = namespaces.repeated(pair.destination for pair in facts.pairs)
    if repeated:
        conditions.set(
            PlanCondition.DUPLICATE_DESTINATION_NAMESPACE,
            Category.CRITICAL,
            Reason.DUPLICATE_NAMESPACES,
            "Named as destination more than once: [].",
            items=repeated,
        )
        return
    wrong = [pair.destination for pair in facts.pairs if not namespaces.is_dns_label(pair.destination)]
    if wrong:
        conditions.set(
            PlanCondition.NAMESPACE_NOT_DNS_COMPLIANT,
            Category.CRITICAL,
            Reason.NOT_DNS_COMPLIANT,
            "Not a DNS-1123 label: [].",
            items=wrong,
        )
        return
    _existence(facts.destination, [], conditions, PlanCondition.DESTINATION_NAMESPACE_NOT_FOUND)


def _existence(cluster: ClusterFacts, wanted: Sequence[str], conditions: Conditions, missing: str) -> None:
    if cluster.namespaces is None or not cluster.ready:
        return
    needed = [*wanted, *filter(None, [cluster.required_namespace])]
    absent = [name for name in needed if name not in cluster.namespaces]
    if absent:
        message = "These namespaces do not exist there: []."
        conditions.set(missing, Category.CRITICAL, Reason.NOT_FOUND, message, items=absent)
