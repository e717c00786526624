# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module of the collection says about check mode, diff and its action group."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; a module adds how far each is supported."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description:
      - Predicts what would change and persists nothing on any cluster; dry-run requests and access reviews may be
        sent.
  diff_mode:
    description: Shows what would change or has changed, of what the module owns and without secrets.
"""

    ACTIONGROUP_MTC = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/openmig.mtc.mtc) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - openmig.mtc.mtc
"""
