# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The connection options as Ansible's argument specification.

Names, aliases and types are those of ``kubernetes.core``; the documentation fragment ``openmig.mtc.connection`` says
the same in words, and a test holds the two together.
"""

from __future__ import annotations

from typing import Any


def connection_spec() -> dict[str, dict[str, Any]]:
    """A fresh specification, for a module's own options or for the suboptions of ``source`` and ``destination``.

    ``kubeconfig`` may be a dictionary with secrets in it, ``proxy`` a URL with a password. ``no_log`` keeps them out of
    the system log and of what Ansible says of options that it refuses, but makes it mask every text in them wherever
    it occurs, "v1" included; a module therefore takes ``ConnectionOptions.harmless()`` out of its ``no_log_values``
    again and adds ``secrets()``.
    """
    return {
        "host": {"type": "str"},
        "api_key": {"type": "str", "no_log": True},
        "kubeconfig": {"type": "raw", "no_log": True},
        "context": {"type": "str"},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "client_cert": {"type": "path", "aliases": ["cert_file"]},
        "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
        "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
        "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
        "proxy": {"type": "str", "no_log": True},
        "no_proxy": {"type": "str"},
        "proxy_headers": {
            "type": "dict",
            "options": {
                "proxy_basic_auth": {"type": "str", "no_log": True},
                "basic_auth": {"type": "str", "no_log": True},
                "user_agent": {"type": "str"},
            },
        },
        "persist_config": {"type": "bool"},
        "impersonate_user": {"type": "str"},
        "impersonate_groups": {"type": "list", "elements": "str"},
    }
