# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration files of rsync's daemon and of stunnel on both sides, as text. None of them holds a secret.

Both ends prove who they are with certificates of a CA that exists for one run only; the client insists on the run's
name in the server's certificate, so that it does not matter by which address the server is reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from .model import SettledProfile
from .profiles import RSYNC_OPTIONS

TUNNEL_PORT: Final = 8443
DAEMON_PORT: Final = 8730

SCRIPTS: Final = "/scripts"
CONFIG: Final = "/config"
SECRETS: Final = "/secrets"
PRIVATE: Final = "/private"
STATE: Final = "/state"
VOLUME: Final = "/volume"
VOLUMES: Final = "/volumes"

# Proving reads whole files without a word on the wire, so idle connections are kept alive by TCP and end only with it.
_KEEPALIVE: Final = "".join(
    f"socket = r:{option}\n"
    for option in ("SO_KEEPALIVE=1", "TCP_KEEPIDLE=30", "TCP_KEEPINTVL=15", "TCP_KEEPCNT=8", "TCP_NODELAY=1")
)
_TLS: Final = """cert = {private}/tls.crt
key = {private}/tls.key
CAfile = {private}/ca.crt
verifyChain = yes
sslVersionMin = TLSv1.3
TIMEOUTclose = 0
TIMEOUTidle = 172800
TIMEOUTconnect = 10
"""
_PROCESS: Final = "foreground = yes\nsyslog = no\ndebug = 4\n"


def stunnel_client(*, host: str, port: int, name: str, private: str = PRIVATE) -> str:
    """For a stunnel that rsync starts itself, one for each connection: no section, no listening port.

    :param host: address of the endpoint (an IPv6 address without brackets)
    :param name: the name that the server's certificate must carry
    """
    return (
        f"{_PROCESS}{_KEEPALIVE}client = yes\nconnect = {host}:{port}\ncheckHost = {name}\nsni = {name}\n"
        + _TLS.format(private=private)
    )


def stunnel_server(
    *, ipv6: bool = False, port: int = TUNNEL_PORT, daemon_port: int = DAEMON_PORT, private: str = PRIVATE
) -> str:
    """For the server's standing stunnel, which lets nobody through without a client certificate of this run."""
    accept = f":::{port}" if ipv6 else f"{port}"
    return (
        f"{_PROCESS}pid =\n{_KEEPALIVE}[rsync]\n"
        f"accept = {accept}\nconnect = 127.0.0.1:{daemon_port}\nrequireCert = yes\n" + _TLS.format(private=private)
    )


def rsyncd(
    *,
    modules: Mapping[str, str],
    profile: SettledProfile,
    port: int = DAEMON_PORT,
    private: str = PRIVATE,
    state: str = STATE,
) -> str:
    """One module for each volume (name to path), each with a user and a password of its own, none of them listed.

    With root the daemon changes its root to the volume: only then does it store symlinks as they are, instead of
    cutting what leads out of the volume. A daemon without root cannot, and must not be told a uid. The daemon itself
    sets no I/O timeout: it would override the client's, which knows whether silence is a fault.
    """
    lines = [
        f"port = {port}",
        "address = 127.0.0.1",
        "log file = /dev/stdout",
        f"lock file = {state}/rsyncd.lock",
        f"use chroot = {'yes' if profile == 'root' else 'no'}",
        "munge symlinks = no",
        "numeric ids = yes",
        "list = no",
        "read only = no",
        "reverse lookup = no",
        "hosts allow = 127.0.0.1",
        # Counted over all modules: a volume uses two at most, and a broken one may take its time to be noticed.
        f"max connections = {6 * len(modules) + 10}",
        "transfer logging = no",
        "refuse options = remove-source-files write-devices copy-devices compare-dest copy-dest link-dest",
    ]
    if profile == "root":
        lines += ["uid = 0", "gid = 0"]
    for module, path in modules.items():
        lines += [
            f"[{module}]",
            f"path = {path}",
            f"auth users = {module}",
            f"secrets file = {private}/rsyncd.secrets",
        ]
    return "\n".join(lines) + "\n"


def options_file(profile: SettledProfile) -> str:
    """The profile's arguments for rsync, one in each line."""
    return "\n".join(RSYNC_OPTIONS[profile]) + "\n"


def excludes_file(patterns: Sequence[str]) -> str:
    """What is not copied, in rsync's patterns. ``lost+found`` is the file system's, in the volume's root only."""
    return "\n".join(["/lost+found", *patterns]) + "\n"
