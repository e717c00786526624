# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubeconfigs and a pod's own credentials, read by the package ``kubernetes``, with errors that name the fault.

The library reports a missing file as "no configuration", a wrong context by a path into the document, and a credential
plugin's failure by a log line and an anonymous request; what a user has to mend is found out here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from ..resources.errors import PermanentError
from .libraries import require_kubernetes, require_yaml
from .options import ConnectionOptions

_TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"


def in_cluster(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in a pod that was given credentials."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST") and os.path.isfile(_TOKEN_FILE))


def default_kubeconfig(environ: Mapping[str, str]) -> str | None:
    """KUBECONFIG or ~/.kube/config, whichever applies; ``None`` when there is no such file."""
    paths = environ.get("KUBECONFIG") or "~/.kube/config"
    return paths if _existing(paths) else None


def load_in_cluster(*, cluster: str) -> Any:
    """The library's Configuration of the pod that this process runs in."""
    kubernetes = require_kubernetes("use the credentials of the pod that this runs in")
    configuration = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_incluster_config(client_configuration=configuration)
    except kubernetes.config.ConfigException as error:
        raise PermanentError(
            subject=f"Cluster {cluster}",
            attempt="credentials of this pod",
            reason=str(error),
            mend="Give a kubeconfig, or let the pod have a service account token",
        ) from error
    return configuration


def load_kubeconfig(options: ConnectionOptions, *, cluster: str, environ: Mapping[str, str], directory: str) -> Any:
    """The library's Configuration of a kubeconfig; ``directory`` takes the certificates that it carries as data.

    A path may be a list separated as in KUBECONFIG; members that do not exist are skipped as long as one does.
    """
    source = options.kubeconfig or environ.get("KUBECONFIG") or "~/.kube/config"
    name = "given as a dictionary" if isinstance(source, Mapping) else source
    fail = _Fault(f"Cluster {cluster}", f"kubeconfig {name}")
    if isinstance(source, str) and not _existing(source):
        option = "Give the path of a kubeconfig in option kubeconfig or K8S_AUTH_KUBECONFIG, or host and api_key"
        raise fail("no such file", option)
    kubernetes = require_kubernetes("read a kubeconfig")
    configuration = kubernetes.client.Configuration()
    configuration.host = ""
    settings = {
        "context": options.context,
        "client_configuration": configuration,
        "persist_config": bool(options.persist_config),
        "temp_file_path": directory,
    }
    heard = _Heard()
    logging.getLogger().addHandler(heard)
    try:
        if isinstance(source, Mapping):
            kubernetes.config.load_kube_config_from_dict(config_dict=_plain(source), **settings)
        else:
            kubernetes.config.load_kube_config(config_file=source, **settings)
    except kubernetes.config.ConfigException as error:
        raise _explained(error, fail, source, options.context) from error
    except OSError as error:
        raise fail(
            (error.strerror or str(error)).lower(), "Make it readable for the user that runs the module"
        ) from error
    except Exception as error:
        # Whatever a document of a wrong shape makes the library stumble over; its text may quote the document.
        raise _explained(error, fail, source, options.context) from error
    finally:
        logging.getLogger().removeHandler(heard)
    user = _document_user(source, options.context) if heard.words else {}
    if "exec" in user and not configuration.auth_settings() and not configuration.cert_file:
        command = str((user.get("exec") or {}).get("command"))
        raise fail(
            f"its credential plugin {command} gave no credentials: {heard.words[-1]}",
            "Install or log in with that plugin for the user that runs the module, or give api_key",
        )
    if not configuration.host and not options.host:
        raise fail("the cluster of its context has no server", "Add clusters[].cluster.server")
    return configuration


class _Fault:
    """Makes the errors of one kubeconfig."""

    def __init__(self, subject: str, attempt: str) -> None:
        self._subject = subject
        self._attempt = attempt

    def __call__(self, reason: str, mend: str) -> PermanentError:
        return PermanentError(subject=self._subject, attempt=self._attempt, reason=reason, mend=mend)


class _Heard(logging.Handler):
    """Keeps what the library logs about a credential plugin while it loads: its only way to say what went wrong."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        first = (record.getMessage().strip().splitlines() or [""])[0]
        self.words.append(first[:300])


def _explained(error: Exception, fail: _Fault, source: Any, context: str | None) -> PermanentError:
    try:
        documents = _documents(source)
    except _NotYaml as fault:
        return fail(f"{fault.path} is not YAML{fault.place}", "Give a kubeconfig file")
    except OSError as unreadable:
        return fail((unreadable.strerror or "").lower(), "Make it readable for the user that runs the module")
    if not documents or not all(isinstance(document, Mapping) for document in documents):
        return fail("it is not a kubeconfig: there are no clusters, contexts and users in it", "Give a kubeconfig file")
    contexts = sorted(
        {
            str(item["name"])
            for document in documents
            for item in document.get("contexts") or ()
            if isinstance(item, Mapping) and item.get("name")
        }
    )
    chosen = context or next((d["current-context"] for d in documents if d.get("current-context")), None)
    if not contexts:
        return fail("there are no contexts in it", "Give a kubeconfig with a context, or host and api_key")
    known = f"It has: {', '.join(contexts)}"
    if not chosen:
        return fail("it has no current-context", f"Name one in option context. {known}")
    if chosen not in contexts:
        origin = "option context" if context else "its current-context"
        return fail(f"{origin} names {chosen}, which it does not have", f"Name another one in option context. {known}")
    detail = str(error) if type(error).__name__ == "ConfigException" else f"malformed ({type(error).__name__})"
    return fail(f"context {chosen}: {detail}", "Correct it; kubectl config view shows what it holds")


class _NotYaml(Exception):
    def __init__(self, path: str, place: str) -> None:
        super().__init__(path)
        self.path = path
        self.place = place


def _documents(source: Any) -> list[Any]:
    """The parsed file or files, read again only to explain a failure."""
    if isinstance(source, Mapping):
        return [source]
    yaml = require_yaml()
    documents = []
    for path in _existing(source):
        try:
            with open(path, encoding="utf-8") as file:
                documents.append(yaml.safe_load(file))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            raise _NotYaml(path, f" (line {mark.line + 1})" if mark else "") from error
    return documents


def _document_user(source: Any, context: str | None) -> Mapping[str, Any]:
    documents = _documents(source)
    chosen = context or next((d["current-context"] for d in documents if d.get("current-context")), None)
    contexts = _by_name(documents, "contexts")
    user = (contexts.get(str(chosen)) or {}).get("user")
    return _by_name(documents, "users").get(str(user)) or {}


def _by_name(documents: list[Any], section: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for document in documents:
        for item in document.get(section) or ():
            found.setdefault(str(item["name"]), item.get(section[:-1]) or {})
    return found


def _existing(paths: str) -> list[str]:
    expanded = (os.path.expanduser(path) for path in paths.split(os.pathsep) if path)
    return [path for path in expanded if os.path.exists(path)]


def _plain(node: Any) -> Any:
    """Plain dictionaries and lists: the library tests for the exact types."""
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(item) for item in node]
    return node
