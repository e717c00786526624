# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The measure of a file's length counts what does something, and nothing else."""

from __future__ import annotations

import pytest

from unit.form.tree import code_lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param('"""Why.\n\nMore.\n"""\n\nimport os\n', 1, id="documentation string"),
        pytest.param('DOCUMENTATION = r"""\na: b\n"""\nx = 1 if y else 2\n', 1, id="data"),
        pytest.param("TABLE = (\n    Row(1),\n    Row(2),\n)\n", 0, id="table of rows"),
        pytest.param("def f():\n    # why\n    return 1  # how\n", 2, id="comment"),
        pytest.param('def f():\n    """What."""\n\n    return """a\n    b"""\n', 3, id="text in code counts"),
        pytest.param("xs = [\n    y\n    for y in z\n]\n", 4, id="computed is no data"),
    ],
)
def test_code_lines(source: str, lines: int) -> None:
    assert code_lines(source) == lines
