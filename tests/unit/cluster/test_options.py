# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connection options: precedence, secrets, and agreement with their documentation and with kubernetes.core."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.kubernetes.core.plugins.doc_fragments.k8s_auth_options import (  # type: ignore[import-untyped]
    ModuleDocFragment as KubernetesCoreFragment,
)
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import (  # type: ignore[import-untyped]
    AUTH_ARG_MAP,
    AUTH_ARG_SPEC,
)

from ansible_collections.openmig.mtc.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.argument_spec import connection_spec
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.options import (
    ConnectionOptions,
    connection_options,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import InvalidInput


def test_an_option_wins_over_the_environment_and_either_name_serves_there() -> None:
    environ = {"K8S_AUTH_HOST": "https://other:6443", "K8S_AUTH_SSL_CA_CERT": "/ca", "K8S_AUTH_VERIFY_SSL": "no"}
    options = connection_options({"host": "https://one:6443/", "unrelated": 1, "api_key": None}, environ)
    assert (options.host, options.ca_cert, options.validate_certs) == ("https://one:6443", "/ca", False)
    assert connection_options({}, {"K8S_AUTH_CA_CERT": "/first", "K8S_AUTH_SSL_CA_CERT": "/second"}).ca_cert == "/first"
    assert connection_options({"validate_certs": True}, environ).validate_certs is True


def test_lists_and_headers_come_from_the_environment() -> None:
    environ = {
        "K8S_AUTH_IMPERSONATE_USER": "ann",
        "K8S_AUTH_IMPERSONATE_GROUPS": "one, two",
        "K8S_AUTH_PROXY_HEADERS_USER_AGENT": "agent/1",
    }
    options = connection_options({"proxy_headers": None, "impersonate_groups": []}, environ)
    assert options.impersonate_groups == ("one", "two")
    assert options.proxy_headers == {"user_agent": "agent/1"}


@pytest.mark.parametrize(
    ("params", "complete"),
    [
        ({"host": "https://h", "api_key": "t"}, True),
        ({"host": "https://h", "username": "u", "password": "p"}, True),
        ({"host": "https://h", "client_cert": "c", "client_key": "k"}, True),
        ({"host": "https://h"}, False),
        ({"host": "https://h", "username": "u"}, False),
        ({"api_key": "t"}, False),
    ],
)
def test_a_host_with_something_to_log_in_with_is_complete(params: dict[str, Any], complete: bool) -> None:
    assert connection_options(params, {}).complete is complete


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"host": "api.example.com:6443"}, "host"),
        ({"kubeconfig": 3}, "kubeconfig"),
        ({"proxy_headers": {"x": "y"}}, "proxy_headers"),
        ({"impersonate_groups": ["g"]}, "impersonate_groups"),
    ],
)
def test_unusable_options_are_named(params: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        connection_options(params, {})
    assert [problem.path for problem in caught.value.problems] == [path]


def test_every_secret_is_known_and_none_is_in_the_repr() -> None:
    user = {
        "token": "planted-1",
        "client-key-data": "planted-2",
        "auth-provider": {"config": {"refresh-token": "planted-3"}},
        "exec": {"command": "x", "env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "planted-4"}]},
    }
    options = connection_options(
        {
            "host": "https://h",
            "api_key": "planted-5",
            "password": "planted-6",
            "kubeconfig": {"users": [{"name": "u", "user": user}]},
            "proxy": "http://ann:planted%2D7@proxy:3128",
            "proxy_headers": {"proxy_basic_auth": "ann:planted-8", "basic_auth": "bob:planted-9"},
        },
        {},
    )
    secrets = set(options.secrets())
    assert {f"planted-{number}" for number in range(1, 10)} <= secrets
    assert "planted%2D7" in secrets
    assert "planted" not in repr(options)
    # The proxy's URL may be shown, for of it the password alone is masked.
    assert set(options.harmless()) == {"u", "x", "AWS_SECRET_ACCESS_KEY", "http://ann:planted%2D7@proxy:3128"}


def test_a_kubeconfig_s_path_is_harmless() -> None:
    assert connection_options({"kubeconfig": "/home/ann/.kube/config"}, {}).harmless() == ["/home/ann/.kube/config"]


def test_the_specification_is_fresh_each_time() -> None:
    connection_spec()["host"]["required"] = True
    assert "required" not in connection_spec()["host"]


def outline(options: dict[str, Any], nested: str) -> dict[str, Any]:
    return {
        name: (
            option.get("type", "str"),
            sorted(option.get("aliases", ())),
            option.get("elements"),
            outline(option.get(nested) or {}, nested),
        )
        for name, option in options.items()
    }


def test_specification_documentation_and_dataclass_agree() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert outline(documented, "suboptions") == outline(connection_spec(), "options")
    assert set(documented) == set(ConnectionOptions.__dataclass_fields__)


def test_names_aliases_and_types_are_those_of_kubernetes_core() -> None:
    theirs = outline(yaml.safe_load(KubernetesCoreFragment.DOCUMENTATION)["options"], "suboptions")
    ours = outline(connection_spec(), "options")
    assert {name: ours.get(name) for name in theirs} == theirs
    assert outline(AUTH_ARG_SPEC, "options").keys() <= ours.keys()
    # There may be a password in a proxy's URL, which kubernetes.core shows when it refuses another option.
    masked = {name for name, option in AUTH_ARG_SPEC.items() if option.get("no_log")} | {"proxy"}
    assert masked == {name for name, option in connection_spec().items() if option.get("no_log")}


@pytest.mark.parametrize(("client_name", "name"), sorted(AUTH_ARG_MAP.items()))
def test_environment_variables_are_those_of_kubernetes_core(client_name: str, name: str) -> None:
    value = {"host": "https://h", "validate_certs": "no", "persist_config": "no"}.get(name, "value")
    if name in ("proxy_headers", "impersonate_groups"):
        return
    for variable in (client_name, name):
        options = connection_options({"impersonate_user": "u"}, {f"K8S_AUTH_{variable.upper()}": value})
        assert getattr(options, name) == (False if value == "no" else value)
