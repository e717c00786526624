# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Module ``mig_storage``, told live where it runs on the control node."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.plugin_utils.live import LiveAction


class ActionModule(LiveAction):
    """As for every module."""
