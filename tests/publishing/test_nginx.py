"""deploy/nginx.conf, served by a real nginx from a folder that the real product published."""

import gzip
import http.client
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import Candor
from tests.publishing.webserver import Nginx, start_web, stop_web
from tests.servers import missing

pytestmark = pytest.mark.xdist_group("nginx")


@dataclass
class Got:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    candor: Candor
    nginx: Nginx

    def get(self, path: str, *, method: str = "GET", port: int = 0, **headers: str) -> Got:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.nginx.port, timeout=10)
        try:
            connection.request(method, path, headers={n.replace("_", "-"): v for n, v in headers.items()})
            answer = connection.getresponse()
            return Got(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @property
    def published(self) -> Path:
        return self.nginx.data / "public/published/default"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not shutil.which("nginx"):
        missing("nginx", "nginx")
    candor = Candor(tmp_path_factory.mktemp("site"))
    candor.manage("setup")
    candor.manage("publish")
    data = candor.folder / "data"
    start_web(candor)
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), data, candor.port)
    nginx.start()
    yield Site(candor, nginx)
    nginx.stop()
    candor.stop()


def an_incident(site: Site) -> str:
    """The path of one in the archive."""
    file = next((site.published / "current/archive/incidents").glob("*.html"))
    return f"/incidents/{file.stem}"


def test_the_configuration_is_right(site: Site) -> None:
    command = ["nginx", "-t", "-c", str(site.nginx.write())]
    tested = subprocess.run(command, capture_output=True, check=False)
    assert tested.returncode == 0, tested.stderr.decode()
    assert b"warn" not in tested.stderr


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/history", "text/html; charset=utf-8"),
        ("/history/2", "text/html; charset=utf-8"),
        ("/uptime", "text/html; charset=utf-8"),
        ("/history.atom", "application/atom+xml; charset=utf-8"),
        ("/history.rss", "application/rss+xml; charset=utf-8"),
        ("/maintenances.ics", "text/calendar; charset=utf-8"),
        ("/live.json", "application/json; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
    ],
)
def test_every_published_path_is_a_file_of_its_kind(site: Site, path: str, kind: str) -> None:
    got = site.get(path)
    name = path.strip("/") or "index"
    file = site.published / "current" / (name if "." in name else f"{name}.html")
    assert (got.status, got.body) == (200, file.read_bytes())
    assert got.headers["content-type"] == kind
    assert got.headers["cache-control"] == "public, max-age=0, s-maxage=5, stale-if-error=86400"
    assert "etag" in got.headers
    assert "last-modified" in got.headers


def test_past_incidents_come_from_the_archive(site: Site) -> None:
    path = an_incident(site)
    assert site.get(path).body == (site.published / f"current/archive{path}.html").read_bytes()


def test_files_are_sent_compressed_and_not_again_if_unchanged(site: Site) -> None:
    plain, packed = site.get("/"), site.get("/", Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["vary"] == "Accept-Encoding"
    again = site.get("/", Accept_Encoding="gzip", If_None_Match=packed.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert "last-modified" in again.headers
    assert "date" in again.headers


def test_visitors_are_as_safe_as_with_the_application(site: Site) -> None:
    ours, theirs = site.get("/").headers, site.get("/?x", port=site.candor.port).headers
    directives = {
        frozenset(directive.strip() for directive in h["content-security-policy"].split(";")) for h in (ours, theirs)
    }
    assert len(directives) == 1
    for name in ("x-content-type-options", "x-frame-options", "referrer-policy", "cross-origin-opener-policy"):
        assert ours[name] == theirs[name], name


def test_what_names_its_content_is_kept_for_ever(site: Site) -> None:
    sheet = next((site.nginx.data / "public/static/css").glob("public.*.css"))
    got = site.get(f"/static/css/{sheet.name}", Accept_Encoding="gzip")
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["content-type"] == "text/css; charset=utf-8"
    assert gzip.decompress(got.body) == sheet.read_bytes()


def test_forms_query_strings_and_all_that_is_no_file_go_to_the_application(site: Site) -> None:
    assert b"Email address" in site.get("/subscribe").body
    assert site.get("/console/").status == 302
    assert b"This form expired" in site.get("/", method="POST").body
    assert b"canonical" in site.get("/history?page=2").body
    missing = site.get("/nothing-here")
    assert (missing.status, b"does not exist" in missing.body) == (404, True)


@pytest.mark.parametrize(
    "path",
    [
        *("/manifest.json", "/current/manifest.json", "/current/index.html", "/archive/manifest.json", "/.lock"),
        *("/generations/", "/archives/", "/../hosts.json", "/incidents/../manifest.json", "/static/../secret_key"),
        "/static/../../private/secret_key",
    ],
)
def test_nothing_but_the_page_can_be_read(site: Site, path: str) -> None:
    assert site.get(path).status in (400, 404)


def test_the_page_is_up_when_the_application_is_not(site: Site) -> None:
    stop_web(site.candor)
    for path in ("/", an_incident(site), "/history.atom", "/live.json"):
        assert site.get(path).status == 200, path
    away = site.get("/subscribe")
    assert away.status == 502
    assert b"This part of the page is temporarily unavailable." in away.body
