# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Kubernetes quantities (``10Gi``, ``1.5Gi``, ``1e3``, ``100m``) as whole bytes and back.

Grammar: k8s.io/apimachinery, pkg/api/resource. Fractions of a byte are rounded up, as the API server does, so that a
volume never becomes smaller than what was asked for.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

_GRAMMAR = re.compile(
    r"(?P<sign>[+-]?)(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE](?P<exponent>[+-]?[0-9]+))?",
    re.ASCII,
)
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}

LARGEST = 2**63 - 1
"""What the API server can hold; it would silently cap more."""
_LONGEST = 64


class QuantityError(ValueError):
    """Not a quantity, or one that the API server cannot hold."""


def parse(text: str | int) -> int:
    """Whole bytes, rounded up (``100m`` is 1). A number, as the API also allows, is taken as it is.

    Raises QuantityError for what is no quantity and for what is larger than the API server can hold.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int)):
        raise QuantityError(f"{text!r} is not a quantity")
    if isinstance(text, int):
        return _held(text, text)
    if len(text) > _LONGEST or (match := _GRAMMAR.fullmatch(text)) is None:
        raise QuantityError(f"{text!r} is not a quantity such as 10Gi or 500M")
    number = Fraction(f"{match['sign']}{match['number'].rstrip('.')}")
    return _held(text, math.ceil(number * _factor(text, match["suffix"] or "", match["exponent"])))


def is_quantity(text: object) -> bool:
    """Whether parse() would take it."""
    try:
        parse(text)  # type: ignore[arg-type]
    except QuantityError:
        return False
    return True


def to_text(value: int) -> str:
    """The exact form with the largest binary suffix (1073741824 is ``1Gi``, 1025 is ``1025``); parse() reverses it."""
    if value == 0:
        return "0"
    for suffix, power in reversed(_BINARY.items()):
        if value % 1024**power == 0:
            return f"{value // 1024**power}{suffix}"
    return str(value)


def equal(one: str | int, other: str | int) -> bool:
    """Whether both mean the same number of bytes: ``1Gi`` and ``1024Mi`` are no difference."""
    return parse(one) == parse(other)


def _factor(text: str, suffix: str, exponent: str | None) -> Fraction:
    if exponent is not None:
        # Computing 10**999999999 first and refusing it then would be too late.
        if abs(int(exponent)) > _LONGEST:
            raise QuantityError(f"{text!r} has an exponent that no quantity needs")
        return Fraction(10) ** int(exponent)
    if suffix in _BINARY:
        return Fraction(1024 ** _BINARY[suffix])
    return Fraction(10) ** _DECIMAL[suffix]


def _held(text: str | int, value: int) -> int:
    if abs(value) > LARGEST:
        raise QuantityError(f"{text!r} is larger than the API server can hold")
    return value
