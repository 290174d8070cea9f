from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live import Candor
from tests.servers import Postgres

# One process of a parallel run takes them all: they share one installation.
pytestmark = pytest.mark.xdist_group("setup")

PASSWORD = "password  "
PAGES = "from incidents.models import Page; print(Page.objects.count())"
USERS = "from statuspage.accounts.models import User; print(User.objects.count())"


class Installed(NamedTuple):
    candor: Candor
    printed: str

    @property
    def data(self) -> Path:
        return self.candor.folder / "data"


@pytest.fixture
def candor(tmp_path: Path) -> Candor:
    """Nothing is set up yet."""
    return Candor(tmp_path, is_prepared=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    candor = Candor(tmp_path_factory.mktemp("installed"), is_prepared=False)
    return Installed(candor, candor.manage("setup"))


def shell(candor: Candor, code: str) -> str:
    return candor.manage("shell", "--no-imports", "-c", code).strip()


def test_the_first_run_makes_a_demo_page_and_an_owner_and_says_the_password_once(installed: Installed) -> None:
    candor, printed = installed
    assert "owner@localhost" in printed
    assert f"{candor.url}/console/" in printed
    assert printed.count(PASSWORD) == 1
    assert candor.manage("setup") == ""
    assert (shell(candor, PAGES), shell(candor, USERS)) == ("1", "1")


def test_the_password_that_was_printed_is_the_owners(installed: Installed) -> None:
    password = installed.printed.split(PASSWORD)[1].split()[0]
    user = "from statuspage.accounts.models import User; print(User.objects.get(email='owner@localhost')"
    assert shell(installed.candor, f"{user}.check_password({password!r}))") == "True"
    assert shell(installed.candor, f"{user}.role)") == "owner"


def test_the_secret_key_is_made_once_and_only_the_owner_may_read_it(installed: Installed) -> None:
    path = installed.data / "private/secret_key"
    key = path.read_text(encoding="ascii")
    installed.candor.manage("check")
    assert len(key) >= 40
    assert (path.read_text(encoding="ascii"), path.stat().st_mode & 0o777) == (key, 0o600)
    assert list(path.parent.glob(".secret_key*")) == []


def test_static_files_are_collected_again_only_when_one_changed_or_they_are_gone(installed: Installed) -> None:
    manifest = installed.data / "public/static/staticfiles.json"
    made = manifest.stat().st_mtime_ns
    installed.candor.manage("setup")
    assert manifest.stat().st_mtime_ns == made
    manifest.parent.rename(installed.data / "lost")
    installed.candor.manage("setup")
    assert manifest.exists()
    (installed.data / "private/run/static.sources").write_text("as it was before an upgrade", encoding="utf-8")
    made = manifest.stat().st_mtime_ns
    installed.candor.manage("setup")
    assert manifest.stat().st_mtime_ns > made


def test_nothing_but_static_files_lies_in_the_public_folder(installed: Installed) -> None:
    assert [path for path in (installed.data / "public/static").rglob("*") if path.name.startswith(".")] == []


def set_up_at_once(*machines: Candor) -> None:
    """All must succeed; together they must have made one page and one owner, whose password one of them said."""
    with ThreadPoolExecutor(len(machines)) as pool:
        printed = list(pool.map(lambda machine: machine.manage("setup"), machines))
    assert sum(text.count(PASSWORD) for text in printed) == 1
    assert (shell(machines[0], PAGES), shell(machines[0], USERS)) == ("1", "1")


def test_two_first_starts_at_once_set_up_once(candor: Candor) -> None:
    set_up_at_once(candor, candor)


def test_two_machines_that_start_at_once_on_one_postgresql_set_up_once(
    candor: Candor, postgres_server: Postgres, tmp_path: Path
) -> None:
    other = Candor(tmp_path / "other", is_prepared=False)
    candor.env["DATABASE_URL"] = other.env["DATABASE_URL"] = postgres_server.create("two_machines")
    set_up_at_once(candor, other)


def test_a_database_out_of_reach_fails_and_says_so(candor: Candor) -> None:
    candor.env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
    with pytest.raises(AssertionError, match="Connection refused"):
        candor.manage("setup")
