# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What belongs to this repository, as git sees it, and how long its code is."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def files() -> list[str]:
    """Every file that is tracked, or new and not ignored, as a path from the root."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-c", "-o", "--exclude-standard", "--deduplicate"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).exists())


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def code_lines(source: str) -> int:
    """Count the lines of Python that do something.

    Not counted: empty lines, comments, documentation strings, and data, which is what a name at the top level is said
    to be without any computing (a module's documentation, a table of names).
    """
    tree = ast.parse(source)
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                silent.update(_lines(first))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_data(node.value):
            silent.update(_lines(node))
    return sum(
        1
        for number, line in enumerate(source.splitlines(), start=1)
        if number not in silent and line.strip() and not line.strip().startswith("#")
    )


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_data(value: ast.expr) -> bool:
    return not any(
        isinstance(node, ast.Lambda | ast.comprehension | ast.Await | ast.Yield | ast.IfExp) for node in ast.walk(value)
    )
