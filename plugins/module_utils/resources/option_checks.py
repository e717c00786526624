# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules for single option values that several kinds share. Each returns the problems found; none raises.

They say what is knowable from the task alone, so that one run tells the user everything that is wrong with it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import quantity, urls
from .errors import Problem
from .image_reference import is_image_reference
from .namespaces import is_dns_label, is_dns_subdomain

ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
"""Of Kubernetes. MTC rejects the last one as a selection; the builtin engine takes it."""

WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
"""A kind or its plural."""
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_LABEL_LIMIT = 63

_PEM_MARK = "-----BEGIN CERTIFICATE-----"


def resource_name(params: Mapping[str, Any]) -> list[Problem]:
    """``name`` and ``namespace`` of the resource itself, where given."""
    return [*dns_subdomain(params.get("name"), "name"), *dns_label(params.get("namespace"), "namespace")]


def dns_label(value: str | None, path: str) -> list[Problem]:
    if value is None or is_dns_label(value):
        return []
    mend = "Use at most 63 of a-z, 0-9 and inner dashes"
    return [Problem(path=path, fault=f"{value!r} is not a DNS-1123 label", mend=mend)]


def dns_subdomain(value: str | None, path: str) -> list[Problem]:
    if value is None or is_dns_subdomain(value):
        return []
    mend = "Use a-z, 0-9, inner dashes and dots, at most 253 characters"
    return [Problem(path=path, fault=f"{value!r} is not a DNS-1123 subdomain", mend=mend)]


def label_key(value: str, path: str) -> list[Problem]:
    """The key of a label: a name of at most 63 characters, with a DNS-1123 subdomain and a slash before it or not."""
    prefix, slash, name = value.rpartition("/")
    named = len(name) <= _LABEL_LIMIT and _QUALIFIED.fullmatch(name) is not None
    if named and (not slash or is_dns_subdomain(prefix)):
        return []
    mend = "Use letters, digits, inner dashes, dots and underscores, with a domain/ before it or not"
    return [Problem(path=path, fault=f"{value!r} is not the key of a label", mend=mend)]


def label_value(value: Any, path: str) -> list[Problem]:
    """The value of a label: nothing, or at most 63 characters. A number or a yes is taken for its text by nobody."""
    if isinstance(value, str) and len(value) <= _LABEL_LIMIT and (not value or _QUALIFIED.fullmatch(value)):
        return []
    mend = "Use at most 63 letters, digits, inner dashes, dots and underscores, as text in quotes"
    return [Problem(path=path, fault=f"{value!r} is not the value of a label", mend=mend)]


def reference(value: Mapping[str, Any] | None, path: str) -> list[Problem]:
    """A dict with ``name`` and, when it is another than the resource's own, ``namespace``."""
    if value is None:
        return []
    return [
        *dns_subdomain(value.get("name") or "", f"{path}.name"),
        *dns_label(value.get("namespace"), f"{path}.namespace"),
    ]


def exclusive(params: Mapping[str, Any], options: Sequence[str], *, within: str = "") -> list[Problem]:
    """At most one of these options, or suboptions ``within`` one, may be named."""
    named = [option for option in options if params.get(option) is not None]
    if len(named) < 2:
        return []
    path = f"{within}.{named[1]}" if within else named[1]
    return [Problem(path=path, fault=f"cannot be combined with {named[0]}", mend="Name one of them")]


def http_url(value: str | None, path: str) -> list[Problem]:
    """An absolute http or https URL with a host, and nothing that a connection would ignore or leak."""
    if not value:
        return []
    parts = urls.parsed(value)
    if parts is None:
        return [Problem(path=path, fault="is no URL", mend="Write https://host:port")]
    if parts.scheme not in ("http", "https"):
        return [Problem(path=path, fault=f"has the scheme {parts.scheme!r}", mend="Write https://host:port")]
    if parts.username is not None or parts.password is not None:
        return [Problem(path=path, fault="contains credentials", mend="Put them into the secret")]
    if not parts.hostname:
        return [Problem(path=path, fault=f"{value!r} names no host", mend="Write https://host:port")]
    return []


def shortened(text: str) -> str:
    """A value as a message quotes it."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def image(value: str | None, path: str) -> list[Problem]:
    """A reference of a container image."""
    if value is None or is_image_reference(value):
        return []
    mend = "Write registry/path/name:tag or registry/path/name@digest, the path in lower case"
    return [Problem(path=path, fault=f"{shortened(value)} names no container image", mend=mend)]


def host(value: str | None, path: str) -> list[Problem]:
    """An IP address, or the name of a host."""
    if value is None:
        return []
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not is_dns_subdomain(value.lower()):
            fault = f"{shortened(value)} is neither an IP address nor the name of a host"
            mend = "Write the address alone, without a scheme, a port and a path"
            return [Problem(path=path, fault=fault, mend=mend)]
    return []


def certificates(value: str | None, path: str) -> list[Problem]:
    """PEM text, or the base64 of it."""
    if not value:
        return []
    if _PEM_MARK in value or _PEM_MARK in (decoded_base64(value) or b"").decode("latin-1"):
        return []
    mend = "Give the certificates' text (PEM) or the base64 of it"
    return [Problem(path=path, fault="contains no PEM certificate", mend=mend)]


def decoded_base64(value: str) -> bytes | None:
    """The bytes, or None when the text is not standard base64 with padding (line breaks are allowed)."""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def encoded_certificates(value: str) -> str:
    """Base64 as the API stores bytes, from PEM text or from base64 with or without line breaks."""
    if _PEM_MARK in value:
        return base64.b64encode(value.encode()).decode()
    return "".join(value.split())


def positive_quantity(value: str | int | None, path: str) -> list[Problem]:
    if value is None:
        return []
    try:
        size = quantity.parse(value)
    except quantity.QuantityError as error:
        return [Problem(path=path, fault=str(error), mend="Write a size such as 10Gi or 500M")]
    if size <= 0:
        return [Problem(path=path, fault=f"{value!r} is not a size", mend="Write a size above zero")]
    return []


def one_of(value: str | None, allowed: Sequence[str], path: str) -> list[Problem]:
    if value is None or value in allowed:
        return []
    return [Problem(path=path, fault=f"{value!r} is unknown", mend=f"Use one of {', '.join(allowed)}")]
