# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shell of every module: Ansible's parameters in, one call of the engine, one result out.

The only file below the modules that knows Ansible. Errors of ours become one sentence and its parts; anything else is
a fault of the collection and is left to Ansible, which shows where it happened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback

from .cluster.options import connection_options
from .engine import call
from .engine.call import Call
from .resources import option_types
from .resources.engines import ENVIRONMENT
from .resources.errors import InvalidInput, MtcError

CONNECTIONS = ("source", "destination", "remote")
"""Dict options that hold a connection of their own."""


def run(spec: Mapping[str, Any], carry_out: Callable[[Call], dict[str, Any]], *, kind: str) -> None:
    """Run a module: ``carry_out`` gets the call and gives the result. ``kind`` names the resource in early errors."""
    engine = {**spec["engine"], "fallback": (env_fallback, [ENVIRONMENT])}
    module = AnsibleModule(argument_spec={**spec, "engine": engine}, supports_check_mode=True)
    this: Call | None = None
    result: dict[str, Any] = {}
    try:
        _hide_secrets(module)
        if problems := option_types.problems(spec, module.params):
            raise InvalidInput(subject=kind, problems=problems)
        this = call.begin(module.params, check=module.check_mode, subject=kind, signals=True)
        result = carry_out(this)
    except MtcError as error:
        module.fail_json(**error.as_result(), **_told(this))
    result.update(_told(this))
    for told in result.pop("warnings_to_show", ()):
        module.warn(told)
    if not module._diff:  # noqa: SLF001 - the only way to ask for it
        result.pop("diff", None)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def _hide_secrets(module: AnsibleModule) -> None:
    """Mask what is secret in a connection, and only that: of a kubeconfig Ansible would otherwise mask every text."""
    given = {name: module.params[name] for name in CONNECTIONS if module.params.get(name)}
    options = [connection_options(module.params, os.environ)]
    options += [connection_options(params, {}, within=name) for name, params in given.items()]
    for each in options:
        module.no_log_values.difference_update(each.harmless())
    for each in options:
        module.no_log_values.update(each.secrets())


def _told(this: Call | None) -> dict[str, Any]:
    lines = this.reporter.lines if this is not None else []
    return {"progress": lines} if lines else {}
