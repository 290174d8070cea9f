"""Names of variables, parameters and attributes have to describe what they hold."""

import ast
from collections.abc import Iterator

from tests.conventions.code import sources

VAGUE = {"one", "found", "asked", "said", "told", "thing", "kept", "words"}


def test_no_variable_or_parameter_has_a_vague_name() -> None:
    assert [f"{path}: {name}" for path, tree in sources().items() for name in vague_names(tree)] == []


def test_every_way_to_give_a_name_is_checked() -> None:
    code = """
one: int = 1
def f(found, *asked, **said):
    for told in found: pass
lambda thing: [kept for kept in thing]
if words := 1: pass
"""
    assert set(vague_names(ast.parse(code))) == VAGUE


def vague_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in VAGUE:
            yield node.id
        elif isinstance(node, ast.arg) and node.arg in VAGUE:
            yield node.arg
