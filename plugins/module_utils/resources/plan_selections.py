# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user chooses for a plan's volumes, before anybody knows which volumes there are.

A rule names claims (``namespace/name`` or a pattern), for nobody knows the names of PVs by heart; who does may name
those. Rules are applied to what discovery has found, in their order, later ones over earlier ones; what no rule names
stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from . import namespaces, option_checks, plan_volumes as volumes, quantity
from .errors import Problem

_WILD = frozenset("*?[")
ACCESS_MODE_CHOICES = (*option_checks.ACCESS_MODES, "auto")
_COPY_ONLY = ("copy_method", "storage_class", "access_mode", "verify", "size", "capacity_confirmed", "target_name")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One element of the option ``persistent_volumes``. None: the user said nothing about it."""

    pvc: str | None = None
    """``namespace/claim``, ``claim``, or a pattern of either; None when the volume is named by ``pv``."""
    pv: str | None = None
    """The volume's own name, or a pattern of it."""
    action: str | None = None
    copy_method: str | None = None
    storage_class: str | None = None
    access_mode: str | None = None
    verify: bool | None = None
    size: str | None = None
    capacity_confirmed: bool | None = None
    target_name: str | None = None

    @property
    def named(self) -> str:
        """What the rule is about, in the user's words."""
        return self.pvc if self.pvc is not None else self.pv or ""

    def concerns(self, entry: Mapping[str, Any]) -> bool:
        """Whether it is about this volume of a plan."""
        if self.pvc is None:
            return fnmatchcase(str(entry.get("name", "")), self.pv or "")
        return self.matches(*_claim(entry))

    def matches(self, namespace: str, claim: str) -> bool:
        """Case matters; a pattern without a slash is about claims of that name in every namespace of the plan."""
        space, slash, name = (self.pvc or "").rpartition("/")
        return fnmatchcase(claim, name) and (not slash or fnmatchcase(namespace, space))


@dataclass(frozen=True)
class Selections:
    """All that the user said about volumes."""

    rules: tuple[Rule, ...] = ()
    storage_class_mapping: Mapping[str, str] = field(default_factory=dict)
    """Source's class to destination's class, for copied volumes that no rule names a class for. "" is "no class"."""

    def __bool__(self) -> bool:
        return bool(self.rules or self.storage_class_mapping)


@dataclass(frozen=True)
class Applied:
    """The entries with the choices in them, and what could not be done: no claim for a rule, one name for several."""

    entries: list[dict[str, Any]]
    problems: tuple[Problem, ...] = ()


def selections(params: Mapping[str, Any]) -> Selections:
    """From the options ``persistent_volumes`` and ``storage_class_mapping``."""
    named = Rule.__dataclass_fields__
    rules = tuple(
        Rule(**{name: value for name, value in item.items() if name in named})
        for item in params.get("persistent_volumes") or []
    )
    return Selections(rules, dict(params.get("storage_class_mapping") or {}))


def apply(entries: Sequence[Mapping[str, Any]], chosen: Selections) -> Applied:
    """``spec.persistentVolumes`` with the user's choices, as new dicts. The order of the entries stays."""
    result = [deepcopy(dict(entry)) for entry in entries]
    problems = []
    for index, rule in enumerate(chosen.rules):
        path = f"persistent_volumes[{index}]"
        matching = [entry for entry in result if rule.concerns(entry)]
        if not matching:
            option, what = ("pvc", "claim") if rule.pvc is not None else ("pv", "volume of the plan")
            mend = "Compare with the claims of the plan's namespaces; only bound ones can be migrated"
            problems.append(Problem(path=f"{path}.{option}", fault=f"no {what} matches {rule.named!r}", mend=mend))
        if rule.target_name is not None and len(matching) > 1:
            fault = f"{rule.named!r} matches {len(matching)} claims, which cannot all get one name"
            problems.append(Problem(path=f"{path}.target_name", fault=fault, mend="Name one claim"))
            continue
        for entry in matching:
            _apply_rule(rule, entry)
    for entry in result:
        mapped = chosen.storage_class_mapping.get(str(entry.get("storageClass", "")))
        named = any(rule.storage_class is not None and rule.concerns(entry) for rule in chosen.rules)
        if mapped is not None and not named and (entry.get("selection") or {}).get("action") == volumes.COPY:
            _choose(entry, "storageClass", mapped)
    return Applied(result, (*problems, *_shared_names(result)))


def _shared_names(entries: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Claims that would meet under one name on the destination: the second would be copied over the first."""
    sources: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if (entry.get("selection") or {}).get("action") != volumes.SKIP:
            namespace, source = _claim(entry)
            sources.setdefault((namespace, volumes.claim_names(entry)[1]), []).append(source)
    return [
        Problem(
            path="persistent_volumes",
            fault=f"claims {' and '.join(sorted(claims))} of namespace {namespace} would both be named {target!r}",
            mend="Give one of them another target_name, or skip it",
        )
        for (namespace, target), claims in sorted(sources.items())
        if len(claims) > 1
    ]


def problems(params: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the options themselves, whatever volumes there are."""
    found: list[Problem] = []
    rules = selections(params).rules
    entries = params.get("namespaces")
    known = None if entries is None else namespaces.mapping(entries)
    for index, rule in enumerate(rules):
        found += _rule_problems(rule, f"persistent_volumes[{index}]", known)
    for repeated in namespaces.repeated(rule.named for rule in rules if rule.named):
        mend = "Put all choices for it into one element"
        found.append(Problem(path="persistent_volumes", fault=f"{repeated!r} is named more than once", mend=mend))
    targets = [
        (rule.pvc.rpartition("/")[0], rule.target_name)
        for rule in rules
        if rule.target_name is not None and rule.pvc is not None
    ]
    for space, name in sorted({target for target in targets if targets.count(target) > 1}):
        fault = f"two claims of {space or 'the plan'} would be named {name!r}"
        found.append(Problem(path="persistent_volumes", fault=fault, mend="Choose different names"))
    for source, destination in (params.get("storage_class_mapping") or {}).items():
        path = f"storage_class_mapping[{source}]"
        for side in (source, destination):
            if not isinstance(side, str):
                mend = "Write the name of a storage class, as text in quotes, or '' for none"
                found.append(Problem(path=path, fault=f"{side!r} names no storage class", mend=mend))
            elif side:
                found += option_checks.dns_subdomain(side, path)
    return found


def owned(entries: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The user's half of the entries, by claim: what a diff shows and a digest of the user's intent covers."""
    return {
        "/".join(_claim(entry)): {
            **dict(entry.get("selection") or {}),
            "targetName": volumes.claim_names(entry)[1],
            "proposedCapacity": entry.get("proposedCapacity", "0"),
            "capacityConfirmed": bool(entry.get("capacityConfirmed")),
        }
        for entry in entries
    }


def _apply_rule(rule: Rule, entry: dict[str, Any]) -> None:
    for name, value in (
        ("action", rule.action),
        ("copyMethod", rule.copy_method),
        ("storageClass", rule.storage_class),
        ("accessMode", rule.access_mode),
        ("verify", rule.verify),
    ):
        if value is not None:
            _choose(entry, name, value)
    if rule.target_name is not None:
        source = volumes.claim_names(entry)[0]
        entry["pvc"]["name"] = source if rule.target_name == source else f"{source}:{rule.target_name}"
    if rule.size is not None:
        _apply_size(rule.size, entry)
    if rule.capacity_confirmed:
        entry["capacityConfirmed"] = True
    elif rule.capacity_confirmed is not None:
        entry.pop("capacityConfirmed", None)


def _choose(entry: dict[str, Any], name: str, value: Any) -> None:
    selection = entry.setdefault("selection", {})
    # A field that is not there reads as empty; choosing that again would write something that changes nothing.
    if selection.get(name) != value and not (name not in selection and not value):
        selection[name] = value


def _apply_size(size: str, entry: dict[str, Any]) -> None:
    """The user's size is the proposal, confirmed. Whether the source's data fits is seen when its use is known."""
    if not quantity.equal(entry.get("proposedCapacity") or 0, size):
        entry["proposedCapacity"] = size
    entry["capacityConfirmed"] = True


def _claim(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str((entry.get("pvc") or {}).get("namespace", "")), volumes.claim_names(entry)[0]


def claim_problems(pvc: str, path: str) -> list[Problem]:
    """Whether it can name a claim: ``namespace/name``, a name, or a pattern of either."""
    space, slash, name = pvc.rpartition("/")
    if name and (space or not slash) and "/" not in space:
        return []
    mend = "Write namespace/name, a name, or a pattern of either"
    return [Problem(path=path, fault=f"{pvc!r} names no claim", mend=mend)]


def _name_problems(rule: Rule, path: str, known: Mapping[str, str] | None) -> list[Problem]:
    if (rule.pvc is None) == (rule.pv is None):
        fault = "names no volume" if rule.pv is None else "names a volume twice, by pvc and by pv"
        return [Problem(path=path, fault=fault, mend="Name the claim with pvc, or the volume with pv")]
    if rule.pvc is None:
        mend = "Write the name of a PersistentVolume, or a pattern of it"
        return [] if rule.pv else [Problem(path=f"{path}.pv", fault="is empty", mend=mend)]
    if wrong := claim_problems(rule.pvc, f"{path}.pvc"):
        return wrong
    space, slash, _name = rule.pvc.rpartition("/")
    if slash and known is not None and not any(fnmatchcase(namespace, space) for namespace in known):
        mend = "Name a source namespace of the plan"
        return [Problem(path=f"{path}.pvc", fault=f"namespace {space!r} is not in the plan", mend=mend)]
    return []


def _rule_problems(rule: Rule, path: str, known: Mapping[str, str] | None) -> list[Problem]:
    found = _name_problems(rule, path, known)
    if rule.target_name is not None and _WILD & set(rule.named):
        fault = f"cannot be combined with the pattern {rule.named!r}"
        found.append(Problem(path=f"{path}.target_name", fault=fault, mend="Name one claim"))
    found += option_checks.dns_subdomain(rule.target_name, f"{path}.target_name")
    found += option_checks.dns_subdomain(rule.storage_class or None, f"{path}.storage_class")
    found += option_checks.one_of(rule.action, volumes.ACTIONS, f"{path}.action")
    found += option_checks.one_of(rule.copy_method, volumes.COPY_METHODS, f"{path}.copy_method")
    found += option_checks.one_of(rule.access_mode or None, ACCESS_MODE_CHOICES, f"{path}.access_mode")
    found += option_checks.positive_quantity(rule.size, f"{path}.size")
    if rule.action in (volumes.SKIP, volumes.MOVE):
        for option in _COPY_ONLY:
            if getattr(rule, option) is not None:
                fault = f"means nothing for a volume with action {rule.action}"
                found.append(
                    Problem(path=f"{path}.{option}", fault=fault, mend=f"Drop it, or use action {volumes.COPY}")
                )
    if rule.verify and rule.copy_method == volumes.SNAPSHOT:
        fault = "cannot be combined with copy_method snapshot, which copies no files"
        found.append(Problem(path=f"{path}.verify", fault=fault, mend="Drop one of them"))
    return found
