# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From options or a token to a ``Cluster``; no request is sent here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from .api import Cluster
from .credentials import credentials_of, token_credentials
from .options import ConnectionOptions, connection_options
from .proxies import choose_proxy
from .transport import Transport

USER_AGENT = "openmig.mtc"


def connect(
    options: ConnectionOptions | Mapping[str, Any],
    *,
    name: str,
    user_agent: str = USER_AGENT,
    fence: Callable[[], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Cluster:
    """The cluster that these options (or a module's parameters) lead to; ``name`` is what messages call it.

    Reads kubeconfig and certificates, and may run a credential plugin. Raises ``PermanentError`` for what is wrong
    with them, ``InvalidInput`` for parameters, ``MissingLibrary``. ``environ`` is the process's own by default.
    """
    environ = os.environ if environ is None else environ
    if not isinstance(options, ConnectionOptions):
        options = connection_options(options, environ)
    credentials = credentials_of(options, cluster=name, environ=environ)
    return Cluster(Transport(credentials, name=name, user_agent=user_agent, fence=fence))


def connect_with_token(
    *,
    url: str,
    token: str | None,
    ca_data: bytes | None = None,
    insecure: bool = False,
    name: str,
    user_agent: str = USER_AGENT,
    fence: Callable[[], None] | None = None,
    proxy: str | None = None,
    renewed: Callable[[], str] | None = None,
) -> Cluster:
    """The cluster at ``url`` for the bearer of ``token``; needs urllib3 alone.

    ``renewed`` is asked for the token anew once the server no longer accepts it.

    ``ca_data`` is PEM; without it the machine's own authorities are trusted. ``proxy`` is an HTTP proxy's URL, "" for
    none; by default the environment decides.
    """
    chosen = choose_proxy(server=url, proxy=proxy, no_proxy=None, headers={}, environ=os.environ)
    credentials = token_credentials(
        url=url, token=token, ca_data=ca_data, insecure=insecure, proxy=chosen, cluster=name, renewed=renewed
    )
    return Cluster(Transport(credentials, name=name, user_agent=user_agent, fence=fence))
