# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a module reaches a cluster, in words; plugins/module_utils/cluster/argument_spec.py says the same to Ansible."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  host:
    description:
      - URL of the cluster's API server, with its scheme and port.
      - With O(api_key), or with O(username) and O(password), or with O(client_cert) and O(client_key), it is all that
        is needed, and no kubeconfig is read.
      - E(K8S_AUTH_HOST) is used when it is not given.
    type: str
  api_key:
    description:
      - Bearer token to log in with.
      - E(K8S_AUTH_API_KEY) is used when it is not given.
    type: str
  kubeconfig:
    description:
      - Path of a kubeconfig file, or several paths separated as in E(KUBECONFIG), or the content of a kubeconfig as a
        dictionary.
      - E(K8S_AUTH_KUBECONFIG) is used when it is not given. Without either, a pod's own service account is used where
        there is one, else E(KUBECONFIG) or C(~/.kube/config).
      - The other connection options win over what the kubeconfig says.
    type: raw
  context:
    description:
      - Context of the kubeconfig to use, by default its current one.
      - E(K8S_AUTH_CONTEXT) is used when it is not given.
    type: str
  username:
    description:
      - User for HTTP basic authentication, where a cluster or a proxy in front of it takes it.
      - E(K8S_AUTH_USERNAME) is used when it is not given.
    type: str
  password:
    description:
      - Password for HTTP basic authentication.
      - E(K8S_AUTH_PASSWORD) is used when it is not given.
    type: str
  client_cert:
    description:
      - Path of a PEM certificate to log in with.
      - E(K8S_AUTH_CLIENT_CERT) or E(K8S_AUTH_CERT_FILE) is used when it is not given.
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the PEM key of O(client_cert); it must not have a password.
      - E(K8S_AUTH_CLIENT_KEY) or E(K8S_AUTH_KEY_FILE) is used when it is not given.
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the PEM certificates of the authorities that are trusted to sign the API server's certificate.
      - E(K8S_AUTH_CA_CERT) or E(K8S_AUTH_SSL_CA_CERT) is used when it is not given.
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether the API server's certificate is checked; it is, unless this or the kubeconfig says otherwise.
      - E(K8S_AUTH_VALIDATE_CERTS) or E(K8S_AUTH_VERIFY_SSL) is used when it is not given.
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP proxy that leads to the API server. An empty string asks for a direct connection.
      - E(K8S_AUTH_PROXY) is used when it is not given, then C(proxy-url) of the kubeconfig, then E(HTTPS_PROXY),
        E(HTTP_PROXY) or E(ALL_PROXY) of the environment.
    type: str
  no_proxy:
    description:
      - Hosts, domains, addresses and networks that are reached without the proxy, separated by commas.
      - E(K8S_AUTH_NO_PROXY) is used when it is not given, then E(NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User and password for the proxy, separated by a colon.
          - E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH) is used when it is not given.
        type: str
      basic_auth:
        description:
          - User and password for a basic authentication header, separated by a colon.
          - E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH) is used when it is not given.
        type: str
      user_agent:
        description:
          - What the proxy is told about the client.
          - E(K8S_AUTH_PROXY_HEADERS_USER_AGENT) is used when it is not given.
        type: str
  persist_config:
    description:
      - Whether a token that an identity provider of the kubeconfig has refreshed is written back to its file.
      - E(K8S_AUTH_PERSIST_CONFIG) is used when it is not given.
    type: bool
  impersonate_user:
    description:
      - User to act as; the user who logs in needs the right to impersonate.
      - E(K8S_AUTH_IMPERSONATE_USER) is used when it is not given, then C(as) of the kubeconfig's user.
    type: str
  impersonate_groups:
    description:
      - Groups to act as, with O(impersonate_user).
      - E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas, is used when it is not given.
    type: list
    elements: str
requirements:
  - python >= 3.11
  - urllib3 >= 1.26
  - websocket-client >= 1.0 (for commands in pods)
notes:
  - The names of the connection options, their aliases and their environment variables are those of C(kubernetes.core).
"""
