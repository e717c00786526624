# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubeconfigs and a pod's own credentials, read into one shape, with errors that name the fault.

The package ``kubernetes`` costs every module call up to 0.7 s, wherever in it one starts, and reports a wrong context
by a path into the document. A kubeconfig whose user has a token, a password or a certificate needs none of it, so the
document is read here; only what runs code or talks to an identity provider is left to the library.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..resources.errors import PermanentError
from .libraries import require_yaml

_POD = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_FILE = f"{_POD}/token"
_GIVE_FILE = "Give a kubeconfig file in option kubeconfig or K8S_AUTH_KUBECONFIG, or host and api_key"

Source: TypeAlias = "str | Mapping[str, Any]"


@dataclass(frozen=True, kw_only=True)
class Pem:
    """A certificate or key: the path of its file, or its text."""

    file: str | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a kubeconfig or a pod says about one connection; ``None`` is "not said"."""

    server: str = ""
    verify: bool = True
    authority: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = None
    tls_server_name: str | None = None
    proxy: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    impersonate_user: str | None = None
    impersonate_groups: tuple[str, ...] = ()
    context: str = ""
    plugin: str | None = None
    """The credential plugin or provider that must be asked for the rest."""


def in_cluster(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in a pod that was given credentials."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST") and os.path.isfile(_TOKEN_FILE))


def found_in_cluster(environ: Mapping[str, str]) -> Found:
    """The API server and the service account of the pod that this process runs in."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT") or "443"
    return Found(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        authority=Pem(file=f"{_POD}/ca.crt"),
        token_file=_TOKEN_FILE,
    )


def default_kubeconfig(environ: Mapping[str, str]) -> str | None:
    """KUBECONFIG or ~/.kube/config, whichever applies; ``None`` when there is no such file."""
    paths = environ.get("KUBECONFIG") or "~/.kube/config"
    return paths if _existing(paths) else None


def found_in_kubeconfig(source: Source, *, context: str | None, cluster: str) -> Found:
    """The connection of a context, by default the current one.

    A path may be a list separated as in KUBECONFIG: of entries with the same name the first wins, as does the first
    current-context; members that do not exist are skipped as long as one does. Relative paths in a file start from it.
    Raises ``PermanentError`` naming the file and the fault; the file's content is never quoted.
    """
    name = "given as a dictionary" if isinstance(source, Mapping) else source
    fault = Fault(f"Cluster {cluster}", f"kubeconfig {name}")
    documents = _documents(source, fault)
    try:
        return _resolved(documents, context, fault)
    except (AttributeError, KeyError, TypeError) as error:
        raise fault("its clusters, contexts or users do not have the shape of a kubeconfig", _GIVE_FILE) from error


def portable(source: str) -> dict[str, Any] | None:
    """The content of the kubeconfig of that path, or of several, with everything in it that lies in further files: what
    another machine can use. None when there is no such file. Raises ``PermanentError`` as found_in_kubeconfig does."""
    fault = Fault("Connection", f"kubeconfig {source}")
    if not _existing(source):
        return None
    documents = _documents(source, fault)
    content: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    current = next((item.content["current-context"] for item in documents if item.content.get("current-context")), None)
    if current:
        content["current-context"] = current
    try:
        for section in ("clusters", "contexts", "users"):
            entries = _by_name(documents, section)
            content[section] = [
                {"name": name, section.removesuffix("s"): _with_files(entry, fault)} for name, entry in entries.items()
            ]
    except (AttributeError, KeyError, TypeError) as error:
        raise fault("its clusters, contexts or users do not have the shape of a kubeconfig", _GIVE_FILE) from error
    return content


def _with_files(entry: _Document, fault: Fault) -> dict[str, Any]:
    """An entry with the content of the files that it names."""
    found = dict(entry.content)
    for key in ("certificate-authority", "client-certificate", "client-key"):
        path = _path(entry, found.pop(key, None))
        if path and not found.get(f"{key}-data"):
            found[f"{key}-data"] = base64.b64encode(_content(path, fault)).decode("ascii")
    if path := _path(entry, found.pop("tokenFile", None)):
        found["token"] = _content(path, fault).decode(errors="replace").strip()
    return found


def _content(path: str, fault: Fault) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise fault(f"{path}: {reason}", "Make it readable for the user that runs Ansible") from error


class Fault:
    """Makes the errors of one kubeconfig."""

    def __init__(self, subject: str, attempt: str) -> None:
        self._subject = subject
        self._attempt = attempt

    def __call__(self, reason: str, mend: str) -> PermanentError:
        return PermanentError(subject=self._subject, attempt=self._attempt, reason=reason, mend=mend)


@dataclass(frozen=True, kw_only=True)
class _Document:
    content: Mapping[str, Any]
    folder: str


def _documents(source: Source, fault: Fault) -> list[_Document]:
    if isinstance(source, Mapping):
        documents = [_Document(content=source, folder="")]
    else:
        paths = _existing(source)
        if not paths:
            raise fault("no such file", _GIVE_FILE)
        documents = [_Document(content=_parsed(path, fault), folder=os.path.dirname(path)) for path in paths]
    if not all(isinstance(document.content, Mapping) for document in documents):
        raise fault("it is not a kubeconfig: there are no clusters, contexts and users in it", _GIVE_FILE)
    return documents


def _parsed(path: str, fault: Fault) -> Any:
    yaml = require_yaml()
    try:
        with open(path, encoding="utf-8") as file:
            return yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise fault(f"{path} is not YAML{where}", _GIVE_FILE) from error
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise fault(f"{path}: {reason}", "Make it readable for the user that runs the module") from error


def _resolved(documents: list[_Document], context: str | None, fault: Fault) -> Found:
    contexts = _by_name(documents, "contexts")
    if not contexts:
        raise fault("there are no contexts in it", _GIVE_FILE)
    known = f"It has: {', '.join(sorted(contexts))}"
    chosen = context or next((d.content["current-context"] for d in documents if d.content.get("current-context")), "")
    if not chosen:
        raise fault("it has no current-context", f"Name one in option context. {known}")
    if chosen not in contexts:
        origin = "option context" if context else "its current-context"
        raise fault(f"{origin} names {chosen}, which it does not have", f"Name another one in option context. {known}")
    entry = contexts[chosen].content
    clusters, users = _by_name(documents, "clusters"), _by_name(documents, "users")
    if entry.get("cluster") not in clusters:
        raise fault(
            f"context {chosen} names cluster {entry.get('cluster')}, which it does not have", "Correct the context"
        )
    if entry.get("user") and entry["user"] not in users:
        raise fault(f"context {chosen} names user {entry['user']}, which it does not have", "Correct the context")
    cluster = clusters[entry["cluster"]]
    user = users.get(entry.get("user") or "") or _Document(content={}, folder="")
    if not cluster.content.get("server"):
        raise fault(f"cluster {entry['cluster']} has no server", "Add clusters[].cluster.server")
    token = user.content.get("token")
    return Found(
        server=str(cluster.content["server"]).rstrip("/"),
        verify=not cluster.content.get("insecure-skip-tls-verify"),
        authority=_pem(cluster, "certificate-authority", fault),
        certificate=_pem(user, "client-certificate", fault),
        key=_pem(user, "client-key", fault),
        tls_server_name=cluster.content.get("tls-server-name"),
        proxy=cluster.content.get("proxy-url"),
        token=None if user.content.get("tokenFile") else token,
        token_file=_path(user, user.content.get("tokenFile")),
        username=user.content.get("username"),
        password=user.content.get("password"),
        impersonate_user=user.content.get("as"),
        impersonate_groups=tuple(user.content.get("as-groups") or ()),
        context=chosen,
        plugin=None if token else _plugin(user.content),
    )


def _plugin(user: Mapping[str, Any]) -> str | None:
    if user.get("exec"):
        return f"credential plugin {user['exec'].get('command')}"
    if user.get("auth-provider"):
        return f"auth-provider {user['auth-provider'].get('name')}"
    return None


def _by_name(documents: list[_Document], section: str) -> dict[str, _Document]:
    found: dict[str, _Document] = {}
    for document in documents:
        for item in document.content.get(section) or ():
            entry = item.get(section.removesuffix("s")) or {}
            found.setdefault(item["name"], _Document(content=entry, folder=document.folder))
    return found


def _pem(document: _Document, key: str, fault: Fault) -> Pem | None:
    data = document.content.get(f"{key}-data")
    if data:
        try:
            return Pem(data=base64.b64decode("".join(str(data).split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise fault(
                f"its {key}-data is not base64", "Correct it; kubectl config view --raw shows what it holds"
            ) from error
    path = _path(document, document.content.get(key))
    return Pem(file=path) if path else None


def _path(document: _Document, path: str | None) -> str | None:
    return os.path.normpath(os.path.join(document.folder, path)) if path else None


def _existing(paths: str) -> list[str]:
    expanded = (os.path.expanduser(path) for path in paths.split(os.pathsep) if path)
    return [path for path in expanded if os.path.exists(path)]
