# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module waits for, of the kinds that are judged by looking at them."""

from __future__ import annotations


class ModuleDocFragment:
    """Option O(wait_condition)."""

    DOCUMENTATION = r"""
options:
  wait_condition:
    description:
      - Wait for this condition of the resource instead of C(Ready), for at most O(wait_timeout) seconds. The task
        succeeds when it holds, whatever else is wrong with the resource, and fails with the resource's conditions when
        it does not.
      - To wait until something that blocks the resource has been mended elsewhere, name C(Ready). Without this option a
        resource that is found blocked fails the task at once.
      - With engine V(controller) only a status counts that was made after the task's own write. With engine V(builtin)
        nobody else judges the resource, so the task does it again every two seconds and stores what it finds.
      - Check mode looks once and does not wait.
    type: dict
    suboptions:
      type:
        description:
          - Type of the condition, as MTC spells it. One that the kind never has is refused.
        type: str
        required: true
      status:
        description:
          - V(False) waits until the condition is gone, because MTC removes conditions that it no longer finds.
          - MTC has no condition that is V(Unknown).
        type: str
        choices: ['True', 'False']
        default: 'True'
      reason:
        description:
          - Reason that the condition must have. Any will do when left out.
        type: str
"""
