#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: direct_image_migration
short_description: Copy the image streams of namespaces to another cluster
description:
  - Lets the Migration Toolkit for Containers (MTC) copy the images of image streams from the registry of one cluster
    to that of another, by a C(DirectImageMigration), and reports every stream. An image stream that was not copied
    fails the task; MTC alone would call it a warning.
  - The builtin engine cannot do it yet and refuses before anything starts. On clusters without image streams there is
    nothing to copy; images of other registries are pulled by their names on the destination.
  - MTC carries such a resource out once. Running the same task again leaves one that succeeded alone, goes on watching
    one that is under way, and replaces one that failed or whose options have changed; what is in the registry already
    is not copied again.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition_of_run
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(DirectImageMigration). A later run finds its own by it.
    type: str
    required: true
  namespace:
    description: Namespace of the control cluster in which the resource lives. V(openshift-migration) when left out.
    type: str
  state:
    description:
      - V(present) copies. V(absent) removes the resource.
      - MTC finishes the stream that it is at even when the resource is removed, and copied images stay.
    type: str
    choices: [present, absent]
    default: present
  source_cluster:
    description:
      - Name of the C(MigCluster) to read from, in the resource's own namespace. Its registry has to be reachable from
        the controller; option O(openmig.mtc.mig_cluster#module:exposed_registry_path) says under which name.
    type: str
  destination_cluster:
    description:
      - Name of the C(MigCluster) to write to, in the resource's own namespace. It has to be another cluster than
        O(source_cluster).
    type: str
  src_mig_cluster_ref:
    description: The same as O(source_cluster) for a C(MigCluster) of another namespace.
    type: dict
    suboptions: &reference
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace; the resource's own when left out.
        type: str
  dest_mig_cluster_ref:
    description: The same as O(destination_cluster) for a C(MigCluster) of another namespace.
    type: dict
    suboptions: *reference
  namespaces:
    description:
      - The namespaces whose image streams are copied, each as V(source) or V(source:destination). Needed when the
        resource is made. MTC creates namespaces that the destination lacks.
    type: list
    elements: str
  label_selector:
    description: Which image streams of these namespaces are copied; all of them when left out.
    type: dict
    suboptions:
      match_labels:
        description: Labels that an image stream must have, each with its value.
        type: dict
      match_expressions:
        description: Conditions that its labels must meet, all of them.
        type: list
        elements: dict
        suboptions:
          key:
            description: The label.
            type: str
            required: true
          operator:
            description: How the label is compared.
            type: str
            required: true
            choices: [In, NotIn, Exists, DoesNotExist]
          values:
            description: The values for V(In) and V(NotIn).
            type: list
            elements: str
  again:
    description: Whether one that succeeded is replaced and carried out again. Such a task changes something each run.
    type: bool
    default: false
  wait:
    description: Whether to watch until the end. Otherwise the module returns once MTC has begun.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which the module fails although the copy goes on; run it again to go on watching.
    type: int
    default: 7200
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
  - cryptography >= 41.0
seealso:
  - module: openmig.mtc.direct_image_stream_migration
  - module: openmig.mtc.direct_image_migration_info
  - module: openmig.mtc.mig_migration
"""

EXAMPLES = r"""
- name: Copy the image streams of a namespace
  openmig.mtc.direct_image_migration:
    kubeconfig: ~/.kube/destination
    engine: controller
    name: shop-images
    source_cluster: source
    destination_cluster: host
    namespaces:
      - shop:shop-new
"""

RETURN = r"""
resource:
  description: The resource as it is stored; in check mode as it would be.
  returned: success, or when what was begun did not end, or ended badly
  type: dict
conditions:
  description: The conditions of the resource by their type.
  returned: success, or when what was begun did not end, or ended badly
  type: dict
phase:
  description: The phase that was reached; V(Completed) at the end.
  returned: success, or when what was begun did not end, or ended badly
  type: str
errors:
  description: What went wrong, of the whole and of each image stream.
  returned: success, or when what was begun did not end, or ended badly
  type: list
  elements: str
image_streams:
  description: What became of every image stream.
  returned: success
  type: list
  elements: dict
  contains:
    source:
      description: Namespace and name on the source.
      type: str
    target:
      description: Namespace and name on the destination.
      type: str
    state:
      description: V(waiting), V(copied), V(failed), or V(deleted) when its own resource went away.
      type: str
    errors:
      description: Why it was not copied.
      type: list
      elements: str
waiting_for:
  description: What MTC was doing when the module returned before the end.
  returned: success
  type: str
progress:
  description: The lines that were told while the module ran, the newest last.
  returned: when there are any
  type: list
  elements: str
engine:
  description: Who carries it out.
  returned: success, or when what was begun did not end, or ended badly
  type: str
  sample: controller
duration:
  description: Seconds that the call took.
  returned: success, or when what was begun did not end, or ended badly
  type: float
error:
  description: Subject, attempt, reason and mend of the error that C(msg) tells in one sentence.
  returned: failure
  type: dict
problems:
  description: Every invalid option with its path, its fault and how to mend it.
  returned: when options are invalid
  type: list
  elements: dict
"""

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_direct_images
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import direct_image_migration_spec


def main() -> None:
    run(direct_image_migration_spec(), ensure_direct_images.ensure_images, kind="DirectImageMigration")


if __name__ == "__main__":
    main()
