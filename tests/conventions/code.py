"""Our own source, as the conventions' tests read it."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def sources() -> dict[str, ast.Module]:
    """The syntax tree of every Python file of the product, migrations apart, by its path."""
    paths = [*ROOT.glob("incidents/**/*.py"), *ROOT.glob("statuspage/**/*.py")]
    names = sorted(str(path.relative_to(ROOT)) for path in paths if path.parent.name != "migrations")
    return {name: ast.parse((ROOT / name).read_text(encoding="utf-8")) for name in names}


def imports(tree: ast.Module) -> set[str]:
    """The full names of the modules, and of the names from modules, that are imported anywhere in it."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules
