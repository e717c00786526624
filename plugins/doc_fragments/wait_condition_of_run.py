# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module waits for, of the kinds that are carried out."""

from __future__ import annotations


class ModuleDocFragment:
    """Option O(wait_condition)."""

    DOCUMENTATION = r"""
options:
  wait_condition:
    description:
      - Wait for this condition of the run instead of for its end. Needs O(wait=true).
      - With engine V(controller) the task ends as soon as the condition holds, and the run goes on in the cluster; the
        same task without this option follows it to its end. RV(waiting_for) says where it was.
      - With engine V(builtin) it is the task that carries the run out, and a run that it left would stand still. So
        there only ends can be waited for, such as C(Succeeded); others are refused.
      - C(Succeeded), C(SucceededWithWarnings) and C(Canceled) are ends of a run. One that ends otherwise fails the
        task. Other conditions come and go; when the run has ended they are behind it, and the task tells the end as
        without this option, also when it is run again. A run that failed fails the task in any case.
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
          - Reason that the condition must have. Any will do when left out. C(Running) has the phase as its reason.
        type: str
"""
