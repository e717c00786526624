#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_cluster
short_description: Make a cluster known to migrations
description:
  - Creates, changes or removes a C(MigCluster) on the control cluster, the resource that says how migrations reach
    a cluster.
  - Given a connection of your own to the cluster in O(remote), the module I(adopts) it. It makes a service account
    there with the rights that the cluster's part in migrations needs, takes a token for it, stores the token in a
    secret of the control cluster and writes the C(MigCluster). That is what the manual of the Migration Toolkit for
    Containers describes as several steps by hand.
  - The module really connects to the cluster with what it has stored, and fails with the conditions of the resource
    when that does not work.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition
  - openmig.mtc.remote
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(MigCluster).
    type: str
    required: true
  namespace:
    description:
      - Namespace of the control cluster in which the resource lives, by default the one of the engine. The secret lies
        beside it with engine V(builtin), and in V(openshift-config) with engine V(controller).
      - Controllers of the Migration Toolkit for Containers look at V(openshift-migration) only, so one resource never
        has two masters.
    type: str
  state:
    description:
      - Whether the resource exists.
      - With V(absent) the token's secret goes too, and with O(remote) also the account and all its rights on the remote
        cluster, whatever O(rights) says.
      - A cluster is not removed while a plan refers to it, or while volumes or image streams are copied from or to it
        without a plan.
    type: str
    choices: [present, absent]
    default: present
  refresh:
    description:
      - Whether the Migration Toolkit for Containers is asked for a new test although nothing has changed.
      - Has no effect with the builtin engine, which connects each time.
    type: bool
    default: false
  is_host_cluster:
    description:
      - Whether this is the control cluster itself. It is then reached with the connection that the module was
        given, and needs no URL and no secret.
    type: bool
  url:
    description: Address of the API server. Taken from O(remote) when left out.
    type: str
  service_account_secret:
    description:
      - Name of a secret beside the resource that holds a token under the key C(saToken).
      - Adopting makes an account, a token and the secret C(<name>-token), so it cannot be combined with O(remote).
    type: str
  service_account_secret_ref:
    description: The same for a secret in another namespace.
    type: dict
    suboptions:
      name:
        description: Name of the secret.
        type: str
        required: true
      namespace:
        description: Namespace of the secret.
        type: str
  ca_bundle:
    description:
      - Certificates that are trusted for the API server, as PEM text or base64 of it. Taken from O(remote) when
        left out.
    type: str
  insecure:
    description:
      - Whether to connect without checking the API server's certificate.
      - Whoever can stand in the way then reads the token.
    type: bool
  azure_resource_group:
    description: Resource group of the cluster's disks. Has no effect with the builtin engine.
    type: str
  exposed_registry_path:
    description: Host, and port if needed, of the cluster's exposed image registry. Has no effect with the builtin
      engine, which copies no images.
    type: str
  restart_restic:
    description: Whether restic is restarted before volumes are backed up. Has no effect with the builtin engine.
    type: bool
  rights:
    description:
      - What the account of an adopted cluster may do.
      - V(source) may read everything, scale workloads and place movers, and nothing else. V(destination) may do
        everything, because objects of every kind are created there.
      - Choosing the other takes the former rights back. Clusters that are a source for one control cluster and a
        destination for another need accounts of their own, in different namespaces (O(service_account_namespace)).
      - Has no effect with engine V(controller). MTC's controller takes a cluster only where its account may do
        everything; rights are added when MTC's installation there has not given them.
    type: str
    choices: [source, destination]
    default: source
  service_account_namespace:
    description:
      - Namespace of the account on an adopted cluster; made when it is missing.
      - V(openmig) when left out. With engine V(controller) it is V(openshift-migration), where MTC's own account is.
    type: str
  token_lifetime:
    description:
      - Seconds for which a token is asked for when a cluster is adopted. The API server may grant less.
      - A later run takes a new token once less than a fifth of its life is left, or when the cluster no longer
        accepts it.
      - The token that MTC's controller works with (engine V(controller)) ends as well. A migration that outlives it
        breaks off, so run the task again before a long one.
    type: int
    default: 2592000
  wait_timeout:
    description:
      - Seconds to wait for MTC's controller, and for O(wait_condition). Without that it has no effect with engine
        V(builtin), which judges within the task.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
seealso:
  - module: openmig.mtc.mig_cluster_info
  - module: openmig.mtc.mig_plan
  - module: openmig.mtc.mig_migration
"""

EXAMPLES = r"""
- name: The control cluster is the destination
  openmig.mtc.mig_cluster:
    kubeconfig: ~/.kube/destination
    name: destination
    is_host_cluster: true

- name: Adopt the source with a connection of an administrator
  openmig.mtc.mig_cluster:
    kubeconfig: ~/.kube/destination
    name: source
    remote:
      kubeconfig: ~/.kube/source
    token_lifetime: 604800

- name: Look what adopting would change
  openmig.mtc.mig_cluster:
    kubeconfig: ~/.kube/destination
    name: source
    remote:
      kubeconfig: ~/.kube/source
  check_mode: true
  diff: true
"""

RETURN = r"""
resource:
  description: The C(MigCluster) as it is stored, or in check mode as it would be. Empty after removal.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
changes:
  description: What this call changed, on either cluster, one line each.
  returned: success, or when the resource is not ready or was not judged in time
  type: list
  elements: str
  sample: ["ServiceAccount openmig/migration-controller created", "MigCluster openmig/source created"]
conditions:
  description:
    - The conditions of the resource by their type. Those of category C(Warn) are shown as warnings, too.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
engine:
  description: Who makes the resource true.
  returned: success
  type: str
  sample: builtin
duration:
  description: Seconds that the call took.
  returned: success
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

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_cluster
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_cluster_spec


def main() -> None:
    run(mig_cluster_spec(), ensure_cluster.ensure, kind="MigCluster")


if __name__ == "__main__":
    main()
