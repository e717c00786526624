# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever somebody writes into the options: it is refused, or nothing of it is wrong that could have been known."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings, strategies as st

from ansible_collections.openmig.mtc.plugins.module_utils.resources import migstorage, storage_credentials
from ansible_collections.openmig.mtc.plugins.module_utils.resources.argument_specs import (
    storage_spec,
    store_credentials,
)
from ansible_collections.openmig.mtc.plugins.module_utils.resources.spec_fields import Field
from ansible_collections.openmig.mtc.plugins.module_utils.resources.storage_providers import PROVIDERS

WORDS = st.one_of(
    st.sampled_from(["", "backups", "https://store:9000", "http://store", "store", "10m", "1h", "a/b", "4", "Group_1"]),
    st.text(max_size=12),
)


def values(option: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What Ansible lets pass for an option."""
    if "choices" in option:
        return st.sampled_from(option["choices"])
    if option["type"] == "bool":
        return st.booleans()
    if option["type"] == "dict":
        return st.fixed_dictionaries({name: given_or_not(inner) for name, inner in option["options"].items()})
    return WORDS


def given_or_not(option: dict[str, Any]) -> st.SearchStrategy[Any]:
    found = values(option)
    return found if option.get("required") else st.one_of(st.none(), found)


SPEC = {**storage_spec(), "credentials": store_credentials(), "volume_snapshot_credentials": store_credentials()}
PARAMS = st.fixed_dictionaries(
    {"name": st.just("store"), **{name: given_or_not(option) for name, option in SPEC.items()}}
)
FITTING: dict[str, list[Any]] = {
    "aws_s3_url": ["", "https://store:9000", "http://store", "store"],
    "aws_public_url": ["", "https://store", "ftp://store"],
    "aws_signature_version": ["", "1", "4"],
    "aws_s3_force_path_style": [True, False],
    "insecure": [True, False],
    "s3_custom_ca_bundle": [""],
    "azure_api_timeout": ["30s", "1h30m", "soon", "0s", "5"],
    "snapshot_creation_timeout": ["10m", "1.5h", "", "-1m", "10"],
}
"""Values of the options for which not every word does."""


def fitting(provider: str, group: str) -> st.SearchStrategy[Any]:
    """Settings of one provider, most of which could be."""
    row = PROVIDERS[provider]
    own = row.backup_fields if group == migstorage.BACKUP else row.snapshot_fields
    required = row.backup_required if group == migstorage.BACKUP else row.snapshot_required
    fields = [field for field in migstorage.GROUPS[group].fields if isinstance(field, Field) and field.name in own]
    words = {field: st.sampled_from(FITTING.get(field.option, ["a", "b-1", "velero", "a/b"])) for field in fields}
    return st.fixed_dictionaries(
        {"creds_secret": st.just("keys"), **{each.option: words[each] for each in fields if each.name in required}},
        optional={each.option: words[each] for each in fields if each.name not in required},
    )


def likely(backups: str, snapshots: str) -> st.SearchStrategy[Any]:
    more = {} if not snapshots else {migstorage.SNAPSHOT: fitting(snapshots, migstorage.SNAPSHOT)}
    return st.fixed_dictionaries(
        {
            "name": st.just("store"),
            "backup_storage_provider": st.just(backups),
            "volume_snapshot_provider": st.just(snapshots),
            migstorage.BACKUP: fitting(backups, migstorage.BACKUP),
            **more,
        }
    )


LIKELY = st.one_of([likely(backups, snapshots) for backups in PROVIDERS for snapshots in (*PROVIDERS, "")])
SETS = st.one_of(PARAMS, LIKELY)


@settings(max_examples=400, deadline=None)
@given(SETS)
def test_refused_or_nothing_wrong_that_could_be_known(params: dict[str, Any]) -> None:
    if migstorage.validate(params):
        return
    spec = migstorage.merge_spec(None, migstorage.build_spec(params))
    for option, name in migstorage.CREDENTIALS.items():
        if params.get(name) is not None:
            reference = {"name": "made", "namespace": "openmig"}
            spec.setdefault(migstorage.GROUPS[option].name, {})[migstorage.SECRET.name] = reference
            assert storage_credentials.secret_data(params[name])
    if migstorage.incomplete(spec):
        return
    assert PROVIDERS[spec["backupStorageProvider"]].backup_items(spec["backupStorageConfig"]) == ()
    if spec.get("volumeSnapshotProvider"):
        config = spec["volumeSnapshotConfig"]
        assert PROVIDERS[spec["volumeSnapshotProvider"]].snapshot_items(config) == ()


@settings(max_examples=200, deadline=None)
@given(SETS, SETS)
def test_writing_the_same_twice_changes_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    stored = migstorage.merge_spec(None, migstorage.build_spec(before))
    wanted = migstorage.build_spec(after)
    settled = migstorage.merge_spec(stored, wanted)
    assert migstorage.drift(settled, wanted) == {}
    assert migstorage.merge_spec(settled, wanted) == settled


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "X"]), WORDS), st.text(max_size=60))
def test_text_of_variables_is_read_without_an_exception(given_lines: dict[str, str], noise: str) -> None:
    storage_credentials.dotenv("\n".join(f"{name}={value}" for name, value in given_lines.items()) + "\n" + noise)
