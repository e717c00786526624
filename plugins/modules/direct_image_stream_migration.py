#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: direct_image_stream_migration
short_description: Copy one image stream to another cluster
description:
  - Lets the Migration Toolkit for Containers (MTC) copy the images of one image stream from the registry of one
    cluster to that of another, by a C(DirectImageStreamMigration). M(openmig.mtc.direct_image_migration) makes one for
    each stream of a namespace.
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
    description: Name of the C(DirectImageStreamMigration). A later run finds its own by it.
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
  image_stream_ref:
    description: The image stream on the source. Needed when the resource is made.
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace on the source.
        type: str
        required: true
  dest_namespace:
    description:
      - Namespace on the destination, which has to exist. The same name when left out.
    type: str
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
  - module: openmig.mtc.direct_image_migration
  - module: openmig.mtc.direct_image_stream_migration_info
"""

EXAMPLES = r"""
- name: Copy an image stream
  openmig.mtc.direct_image_stream_migration:
    kubeconfig: ~/.kube/destination
    engine: controller
    name: shop-front
    source_cluster: source
    destination_cluster: host
    image_stream_ref:
      name: front
      namespace: shop
    dest_namespace: shop-new
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import direct_image_stream_migration_spec


def main() -> None:
    run(direct_image_stream_migration_spec(), ensure_direct_images.ensure_stream, kind="DirectImageStreamMigration")


if __name__ == "__main__":
    main()
