# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The choice of the engine; every module has it."""

from __future__ import annotations


class ModuleDocFragment:
    """Option O(engine), and what the action plugins add."""

    DOCUMENTATION = r"""
options:
  engine:
    description:
      - Who makes the resources true.
      - V(builtin) is this collection itself. It needs nothing on the clusters but the collection's resource
        definitions on the control cluster; resources and secrets live in namespace V(openmig) unless another is given.
      - V(controller) is an installed Migration Toolkit for Containers (MTC), which is driven and watched. Resources
        live in namespace V(openshift-migration), secrets in V(openshift-config).
      - V(auto) takes V(controller) where MTC is installed on the control cluster, else V(builtin). An MTC that is
        installed and not ready is an error, never a reason to take the other engine.
      - A given namespace decides as well, because MTC looks at V(openshift-migration) only. A plan keeps the engine
        that it was made with.
      - E(MTC_ENGINE) is used when it is not given, else V(auto).
    type: str
    choices: [auto, builtin, controller]
  reporter:
    description: Set by the action plugin of the same name; of no use in a playbook.
    type: dict
    suboptions:
      file:
        description: File to which progress is appended.
        type: path
      parent:
        description: The process that must live for the module to go on.
        type: str
      foretold:
        description: What earlier tasks in check mode have foretold.
        type: list
        elements: dict
notes:
  - In check mode a task also sees the resources that earlier tasks of the same playbook have foretold for the same
    control cluster, so a whole playbook can be looked at before anything of it exists. A cluster that would have been
    adopted is reached by the connection given for that, unless that holds a token or password; then, and where tasks
    run on another machine, name it again where a module has O(ignore:source) and O(ignore:destination).
  - The collection's action plugin of the same name prints what happens while the module runs on the control node, one
    line a fact.
  - Paths of kubeconfigs and certificates, and the variables E(K8S_AUTH_HOST) and so on, are those of the control node,
    also when the task is delegated to another machine.
"""
