# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Option sets that nobody would think of, made from the argument spec of a module.

Most of them begin as one of the module's own examples, so that most of a set is right and the rules behind the first
ones are reached. A few options are then taken away or given a value: one that fits, a nasty one of the right type, or
one of a wrong type.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.argument_spec import connection_spec
from unit.modules import documents

Options = dict[str, Any]
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
URLS = ("https://api.example.com:6443", "http://10.0.0.1")
CONNECTION = frozenset({*connection_spec(), "source", "destination", "remote"})
FITTING: Mapping[str, tuple[Any, ...]] = {
    "host": URLS,
    "url": URLS,
    "proxy": ("http://proxy.example.com:3128", ""),
    "ca_bundle": (PEM, base64.b64encode(PEM.encode()).decode()),
    "exposed_registry_path": ("registry.example.com", "registry:5000"),
    "namespaces": ("shop", "shop:shop-new", "blog", "blog:shop"),
    "pvc": ("shop/data", "data", "*-cache", "shop/*", "*/data"),
    "size": ("2Gi", "500M", "1e9"),
    "image": ("registry.example.com/a/b:1", "busybox"),
    "transfer_image": ("registry.example.com/openmig/mover:0.1.0",),
    "playbook": ("- hosts: localhost\n", ""),
    "playbook_base64": ("LSBob3N0czogbG9jYWxob3N0Cg==", ""),
    "label_selectors": ("a=b", "a in (b,c)", "!a"),
    "group": ("", "apps"),
    "kind": ("Deployment", "ConfigMap"),
    "accept_warnings": ("UnhealthyNamespaces", "shop/data"),
    "patterns": ("/cache/", "*.tmp"),
}
"""By an option's name, for texts (or elements) that a plain name does not fit."""
NAMES = ("shop", "source", "destination", "data", "a", "openmig", "openshift-migration", "x" * 63, "a.b")
NASTY = (
    "",
    " ",
    "\x00",
    "\n",
    "a\nb",
    "A",
    "ä",
    "\u202eevil",
    "\U0001f4a5",
    "-a",
    "a-",
    "a_b",
    "a/b",
    "a/b/c",
    "/",
    "a:b",
    "a:b:c",
    ":",
    "[",
    "[]",
    "a[0]",
    "*",
    "..",
    "../../etc/passwd",
    "http://[",
    "http://[::1",
    "https://a:99999",
    "https://user:word@a",
    "https://",
    "ftp://a",
    "//a",
    "%s%n",
    "{0}",
    "{{ 1 }}",
    "'\"`$(",
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "9" * 40,
    "NaN",
    "1Gi1",
    "====",
    "YQ=",
    "a" * 64,
    "a" * 254,
    "a." * 200,
    "x" * 70_000,
)
NUMBERS = (0, 1, -1, 60, 599, 3600, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**63) - 1, 10**30)
UNFIT: tuple[Any, ...] = ([], {}, [[]], {"": ""}, {"a": {"b": ["c"]}}, 1.5, True, -1, "maybe", [None], ["a", 1], "{")


@st.composite
def option_sets(draw: st.DrawFn, module: str, only: frozenset[str] = frozenset()) -> Options:
    """Options for one call of the module, as a playbook could have them; ``only`` are those that change, if named."""
    spec = documents.spec(module)
    shown = _calls(module)
    options: Options = copy.deepcopy(draw(st.sampled_from([{}, *shown, *shown, *shown])))
    own = sorted(name for name in spec if name not in CONNECTION)
    pool = sorted(only) if only else [*own, *own, *own, *sorted(CONNECTION & set(spec))]
    most = draw(st.sampled_from([1, 2, 3, 8]))
    changed = draw(st.lists(st.sampled_from(pool), unique=True, max_size=most))
    for name in changed:
        if name in options and draw(st.integers(0, 3)) == 0:
            del options[name]
        else:
            options[name] = draw(values(name, spec[name]))
    for name, option in spec.items():
        if option.get("required") and name not in options and draw(st.integers(0, 9)):
            options[name] = draw(values(name, option))
    return options


def _calls(module: str) -> list[Options]:
    key = f"openmig.mtc.{module}"
    return [task[key] for task in documents.examples(module) if key in task]


def values(name: str, option: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly of the option's type."""
    fitting = _fitting(name, option)
    unfit = UNFIT
    if option.get("options"):
        # ansible-core itself ends in a TypeError when it looks for suboptions in a number (set_fallbacks).
        unfit = tuple(each for each in UNFIT if isinstance(each, (str, dict)))
    return st.integers(0, 19).flatmap(lambda dice: st.sampled_from(unfit) if dice == 7 else fitting)


def _fitting(name: str, option: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    kind = option.get("type", "str")
    if kind == "list":
        element = {**option, "type": option.get("elements", "str")}
        return st.lists(values(name, element), max_size=12 if name == "namespaces" else 4)
    if option.get("choices"):
        return _or_nasty(st.sampled_from(option["choices"]))
    if kind == "bool":
        return st.sampled_from([True, False, "yes", "no", "maybe", None])
    if kind == "int":
        return st.sampled_from(NUMBERS) | st.sampled_from(NUMBERS).map(str)
    if kind == "dict":
        return _dicts(option)
    if kind == "raw":
        return _or_nasty(st.sampled_from(["~/.kube/config", {}, {"users": [{"user": {"token": "t"}}]}, {"users": "a"}]))
    return _or_nasty(st.sampled_from(FITTING.get(name, NAMES)))


def _dicts(option: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    inner = option.get("options")
    if not inner:
        text = _or_nasty(st.sampled_from(NAMES))
        return st.dictionaries(text, text | st.sampled_from([None, 1, True, 1.5, ["a"], {"a": "b"}]), max_size=3)
    needed = {name: values(name, each) for name, each in inner.items() if each.get("required")}
    others = {name: values(name, each) for name, each in inner.items() if not each.get("required")}
    whole = st.fixed_dictionaries(needed, optional=others)
    return (
        whole
        if not needed
        else st.integers(0, 9).flatmap(
            lambda dice: whole if dice else st.fixed_dictionaries({}, optional={**needed, **others})
        )
    )


def _or_nasty(fitting: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    nasty = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return st.integers(0, 5).flatmap(lambda dice: nasty if dice == 3 else fitting)
