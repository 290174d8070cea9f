import ast
import re

from tests.conventions.code import ROOT, sources


def read_in_settings() -> set[str]:
    """The names in `env.str("NAME", …)` and its relatives."""
    calls = [node for node in ast.walk(sources()["statuspage/settings.py"]) if isinstance(node, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def documented() -> list[str]:
    return re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert len(read_in_settings()) > 10
    assert set(documented()) == read_in_settings()


def test_the_settings_are_listed_in_order() -> None:
    assert documented() == sorted(documented())


def test_only_the_settings_read_the_environment() -> None:
    readers = {name for name, tree in sources().items() if reads_environment(tree)}
    # The command line runs without Django (docs/api.md has its two variables), like the front door, whose settings are
    # compared in tests/frontdoor. The supervisor passes sockets and the environment on to its processes.
    without_django = {"statuspage/api/cli/__main__.py", "statuspage/frontdoor/config.py"}
    processes = {"statuspage/supervisor.py", "statuspage/common/sockets.py"}
    assert readers <= {"statuspage/settings.py"} | without_django | processes


def reads_environment(tree: ast.Module) -> bool:
    """os.environ.setdefault("DJANGO_SETTINGS_MODULE", …) is how Django is started, and no setting."""
    allowed = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "setdefault"
    }
    return any(
        isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} and id(node) not in allowed
        for node in ast.walk(tree)
    )
