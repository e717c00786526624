# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which resources an info module is asked for."""

from __future__ import annotations


class ModuleDocFragment:
    """The filters that every kind has; the attributes are those of some kinds."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - Only the resource of this name. One that does not exist gives an empty list and no error.
    type: str
  namespace:
    description:
      - Namespace of the control cluster in which the resources live. When left out, that of the engine, see O(engine).
    type: str
  label_selectors:
    description:
      - Only resources whose labels meet all of these, each written as for C(kubectl --selector), such as
        V(team=shop), V(tier in (a,b\)) or V(!team).
    type: list
    elements: str
    default: []
  plan:
    description:
      - Only what belongs to the C(MigPlan) of this name, that is, what the plan refers to and what refers to the plan.
    type: str
  ready:
    description:
      - Only resources that are ready, or with V(false) only those that are not.
      - Being ready ends with the work. A run that has finished, well or badly, is not ready any more.
    type: bool
notes:
  - Nothing is changed on any cluster, and no secret is read. What a resource says of a secret is its name.
  - A cluster that does not know the kind is no error; RV(api_found) says so.
  - An installed Migration Toolkit for Containers that is not ready is no obstacle to looking.
"""

    FINISHED = r"""
options:
  finished:
    description:
      - Only runs that have ended, however, or with V(false) only those that have not.
    type: bool
"""

    NEWEST = r"""
options:
  newest:
    description:
      - Only the one that was created last among those that all other options let through.
    type: bool
    default: false
"""

    MIGRATION = r"""
options:
  migration:
    description:
      - Only what belongs to the C(MigMigration) of this name.
      - What was made without a migration belongs to none, and to no plan.
    type: str
"""
