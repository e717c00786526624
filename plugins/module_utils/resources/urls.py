# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""URLs as people and other programs write them: some are none."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def parsed(text: str) -> SplitResult | None:
    """The URL's parts; None for brackets that do not close, or a port that is no port. What is left out is empty."""
    try:
        parts = urlsplit(text)
        return parts if parts.port is None or parts.port > 0 else None
    except ValueError:
        return None
