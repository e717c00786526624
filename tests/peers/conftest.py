# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The worlds of the migrations' tests, each with a bucket of its own, and their look at what was left."""

from __future__ import annotations

from integration.conftest import (
    leaks,
    nothing_left_by_the_file,
    nothing_left_by_the_test,
    pytest_fixture_setup,
)
from integration.migration.conftest import destination, source, world
from integration.migration.test_indirect import bucket

__all__ = [
    "bucket",
    "destination",
    "leaks",
    "nothing_left_by_the_file",
    "nothing_left_by_the_test",
    "pytest_fixture_setup",
    "source",
    "world",
]
