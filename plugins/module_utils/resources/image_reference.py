# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a text names a container image: ``name[:tag][@digest]``, the grammar of the registries' reference library.

The library's own pattern backtracks exponentially where a path component is long. Here a run of characters can be
split in one way only, so that a wrong text of any length is refused at once.
"""

from __future__ import annotations

import re

_DOMAIN_PART = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_ALGORITHM = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_DIGEST = rf"{_ALGORITHM}:[0-9A-Fa-f]{{32,}}"
_REFERENCE = re.compile(
    rf"(?:{_DOMAIN}/)?{_PATH_PART}(?:/{_PATH_PART})*(?::{_TAG})?(?:@{_DIGEST})?",
    re.ASCII,
)


def is_image_reference(text: str) -> bool:
    """Whether the whole text is one; nothing is looked up."""
    return _REFERENCE.fullmatch(text) is not None
