# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Credentials that have to be fetched: credential plugins (exec) and identity providers of a kubeconfig.

The package ``kubernetes`` runs them and refreshes what they give. It reports a plugin's failure by a log line only and
goes on without credentials; that line is caught here and becomes the reason of an error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from .kubeconfig import Fault, Found, Source
from .libraries import require_kubernetes


def fetch_credentials(source: Source, found: Found, *, persist: bool, cluster: str) -> Any:
    """The library's Configuration for the context that was ``found``, with a token or certificate files in it.

    ``persist`` lets the library write a refreshed token back to the kubeconfig's file.
    """
    kubernetes = require_kubernetes(f"use the {found.plugin}")
    name = "given as a dictionary" if isinstance(source, Mapping) else source
    fault = Fault(f"Cluster {cluster}", f"kubeconfig {name}")
    configuration = kubernetes.client.Configuration()
    settings = {"context": found.context, "client_configuration": configuration, "persist_config": persist}
    heard = _Heard()
    root = logging.getLogger()
    root.addHandler(heard)
    try:
        if isinstance(source, Mapping):
            kubernetes.config.load_kube_config_from_dict(config_dict=_plain(source), **settings)
        else:
            kubernetes.config.load_kube_config(config_file=source, **settings)
    except kubernetes.config.ConfigException as error:
        raise fault(f"{found.plugin} failed: {_line(str(error))}", _MEND) from error
    except Exception as error:  # a provider's own libraries raise their own
        raise fault(f"{found.plugin} failed ({type(error).__name__})", _MEND) from error
    finally:
        root.removeHandler(heard)
    if not configuration.auth_settings() and not configuration.cert_file:
        told = heard.words[-1] if heard.words else "it said nothing"
        raise fault(f"{found.plugin} gave no credentials: {told}", _MEND)
    return configuration


_MEND = "Install it and log in with it as the user that runs the module, or give api_key"


class _Heard(logging.Handler):
    """Keeps the library's words about a plugin while it loads."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.words: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.words.append(_line(record.getMessage()))


def _line(text: str) -> str:
    """The first line, shortened: a plugin's help text is of no use in an error."""
    return (text.strip().splitlines() or [""])[0][:300]


def _plain(node: Any) -> Any:
    """Plain dictionaries and lists: the library tests for the exact types."""
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(item) for item in node]
    return node
