# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the module ``direct_volume_migration`` and prints what it reports, as that of ``mig_migration`` does."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.action.mig_migration import ActionModule as Reporting


class ActionModule(Reporting):
    """The module in one piece, and its lines live."""
