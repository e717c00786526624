# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The worlds of the migrations' tests, with secrets in them."""

from __future__ import annotations

from integration.migration.conftest import destination, source, world

__all__ = ["destination", "source", "world"]
