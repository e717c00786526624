# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How to reach a cluster, as the user says it: module options first, then ``K8S_AUTH_*`` of the environment.

Names, aliases, environment variables and precedence are those of ``kubernetes.core``, so that a user's
``module_defaults``, vaults and environment serve this collection as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import unquote

from ..resources import urls
from ..resources.errors import InvalidInput, Problem

# option -> what the Kubernetes client calls it; either name is read from the environment after K8S_AUTH_
_CLIENT_NAMES = {
    "validate_certs": "verify_ssl",
    "ca_cert": "ssl_ca_cert",
    "client_cert": "cert_file",
    "client_key": "key_file",
}
_BOOLEANS = frozenset({"validate_certs", "persist_config"})
PROXY_HEADERS = ("proxy_basic_auth", "basic_auth", "user_agent")

# keys below users[].user of a kubeconfig whose values are secret, wherever in it they stand
_KUBECONFIG_SECRETS = frozenset(
    {
        "token",
        "password",
        "client-key-data",
        "access-token",
        "id-token",
        "refresh-token",
        "client-secret",
    }
)


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    """One connection; ``None`` is "not said". See the documentation fragment for what each option means."""

    host: str | None = None
    api_key: str | None = field(default=None, repr=False)
    kubeconfig: str | Mapping[str, Any] | None = field(default=None, repr=False)
    context: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_cert: str | None = None
    client_key: str | None = None
    ca_cert: str | None = None
    validate_certs: bool | None = None
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None
    proxy_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    persist_config: bool | None = None
    impersonate_user: str | None = None
    impersonate_groups: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """A host and something to log in with: then neither a kubeconfig nor a pod's credentials are looked at."""
        return bool(
            self.host and (self.api_key or (self.username and self.password) or (self.client_cert and self.client_key))
        )

    def secrets(self) -> list[str]:
        """Every value that must not be shown, for a module's ``no_log_values``."""
        found = [self.api_key, self.password]
        for name in ("proxy_basic_auth", "basic_auth"):
            value = self.proxy_headers.get(name)
            if value:
                found += [value, value.partition(":")[2]]
        if self.proxy:
            parts = urls.parsed(self.proxy)
            password = parts.password if parts else None
            found += [password, unquote(password)] if password else []
        if isinstance(self.kubeconfig, Mapping):
            found += _secrets_below(self.kubeconfig.get("users"))
        return sorted({value for value in found if value})

    def harmless(self) -> list[str]:
        """The texts of ``kubeconfig`` and ``proxy`` that may be shown: a path, a URL (of which the password is masked),
        or of a content whatever is no secret.

        Ansible masks all of them, since these options as a whole are marked ``no_log``.
        """
        secrets = set(self.secrets())
        texts = {*_texts_below(self.kubeconfig), *([self.proxy] if self.proxy else [])}
        return sorted(texts - secrets)


def connection_options(params: Mapping[str, Any], environ: Mapping[str, str], *, within: str = "") -> ConnectionOptions:
    """The connection that ``params`` (module options, or the suboptions ``within`` one) and ``environ`` describe
    together.

    Unknown keys of ``params`` are ignored: a module's other options stand beside these. Raises ``InvalidInput``
    for values that no connection can be made of; files are not looked at here.
    """
    values: dict[str, Any] = {}
    for name in (item.name for item in fields(ConnectionOptions)):
        value = params.get(name)
        if value is None or (name in ("proxy_headers", "impersonate_groups") and not value):
            value = from_environment(name, environ)
        if value is not None:
            values[name] = value
    if "proxy_headers" in values:
        values["proxy_headers"] = {key: value for key, value in values["proxy_headers"].items() if value}
    if "impersonate_groups" in values:
        values["impersonate_groups"] = tuple(values["impersonate_groups"])
    if values.get("host"):
        values["host"] = values["host"].rstrip("/")
    problems = _problems(values)
    if problems and within:
        problems = [problem.within(within) for problem in problems]
    if problems:
        raise InvalidInput(subject="Connection", problems=problems)
    return ConnectionOptions(**values)


def from_environment(name: str, environ: Mapping[str, str]) -> Any:
    """What ``K8S_AUTH_*`` says about an option; None or something empty when it says nothing."""
    if name == "proxy_headers":
        headers = {key: environ.get(f"K8S_AUTH_PROXY_HEADERS_{key.upper()}") for key in PROXY_HEADERS}
        return {key: value for key, value in headers.items() if value}
    value = environ.get(f"K8S_AUTH_{name.upper()}") or environ.get(f"K8S_AUTH_{_CLIENT_NAMES.get(name, name).upper()}")
    if value is None or (value == "" and name != "proxy"):
        return None
    if name == "impersonate_groups":
        return [group.strip() for group in value.split(",") if group.strip()]
    if name in _BOOLEANS:
        return value.lower() not in ("0", "false", "no")
    return value


def _problems(values: Mapping[str, Any]) -> list[Problem]:
    problems = []
    kubeconfig = values.get("kubeconfig")
    if kubeconfig is not None and not isinstance(kubeconfig, (str, Mapping)):
        problems.append(
            Problem(
                path="kubeconfig",
                fault=f"is a {type(kubeconfig).__name__}",
                mend="Give the path of a kubeconfig file, or its content as a dictionary",
            )
        )
    host = values.get("host")
    parts = urls.parsed(host) if host else None
    if host and (parts is None or not parts.hostname or parts.scheme not in ("http", "https")):
        problems.append(
            Problem(path="host", fault="is not a URL", mend="Give it with its scheme: https://api.example.com:6443")
        )
    proxy = values.get("proxy")
    if proxy and urls.parsed(proxy if "://" in proxy else f"http://{proxy}") is None:
        problems.append(
            Problem(path="proxy", fault="is not a URL", mend="Give it with its port: http://proxy.example.com:3128")
        )
    unknown = sorted(set(values.get("proxy_headers") or ()) - set(PROXY_HEADERS))
    if unknown:
        problems.append(
            Problem(
                path="proxy_headers",
                fault=f"has unknown keys {', '.join(unknown)}",
                mend=f"Known are {', '.join(PROXY_HEADERS)}",
            )
        )
    if values.get("impersonate_groups") and not values.get("impersonate_user"):
        problems.append(
            Problem(path="impersonate_groups", fault="is given without impersonate_user", mend="Give both, or neither")
        )
    return problems


def _secrets_below(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in _KUBECONFIG_SECRETS and isinstance(value, str):
                yield value
            elif key == "env":  # of a credential plugin: often AWS_SECRET_ACCESS_KEY and its like
                yield from (
                    str(item["value"]) for item in value or () if isinstance(item, Mapping) and item.get("value")
                )
            else:
                yield from _secrets_below(value)
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _secrets_below(item)


def _texts_below(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for value in node.values():
            yield from _texts_below(value)
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _texts_below(item)
    elif node is not None:
        yield str(node)
