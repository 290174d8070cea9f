"""Small pieces: what fits on a screen can be understood whole."""

import ast
from statistics import median

from tests.conventions.code import ROOT, sources

FUNCTION_MEDIAN, FUNCTION_MOST = 8, 60
FILE_MEDIAN, FILE_MOST = 80, 400


def function_lengths() -> dict[str, int]:
    return {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def file_lengths() -> dict[str, int]:
    """Files that say something; an empty __init__.py would flatter the median."""
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in sources()}
    return {name: length for name, length in lengths.items() if length}


def above(lengths: dict[str, int], most: int) -> dict[str, int]:
    return {name: length for name, length in lengths.items() if length > most}


def test_no_function_is_longer_than_sixty_lines_and_half_have_at_most_eight() -> None:
    lengths = function_lengths()
    assert above(lengths, FUNCTION_MOST) == {}
    assert median(lengths.values()) <= FUNCTION_MEDIAN


def test_no_file_is_longer_than_four_hundred_lines_and_half_have_at_most_eighty() -> None:
    lengths = file_lengths()
    assert above(lengths, FILE_MOST) == {}
    assert median(lengths.values()) <= FILE_MEDIAN


def test_no_template_style_script_or_test_is_longer_than_four_hundred_lines() -> None:
    patterns = ("templates/**/*.html", "static/css/*.css", "static/js/*.js", "tests/**/*.py")
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert len(lengths) > 100
    assert above(lengths, FILE_MOST) == {}


if __name__ == "__main__":  # python -m tests.conventions.test_budgets
    for kind, lengths in (("functions", function_lengths()), ("files", file_lengths())):
        print(f"{len(lengths)} {kind}: median {median(lengths.values()):g} lines, longest {max(lengths.values())}")
