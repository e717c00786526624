# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several reasons not to begin, told as one error."""

from __future__ import annotations

from collections.abc import Sequence

from ..resources.errors import MtcError, Refused


def all_of(errors: Sequence[MtcError], *, attempt: str) -> MtcError:
    """One error as it is; several as one that tells each of them."""
    if len(errors) == 1:
        return errors[0]
    return Refused(
        subject=f"{len(errors)} findings",
        attempt=attempt,
        reason=" ".join(error.message for error in errors),
        mend="Mend these and run the task again",
    )
