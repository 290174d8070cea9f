"""A server that answers badly: what is wrong is named, the rest is imported, and the exit code tells."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from incidents.models import Component, Incident, IncidentUpdate, Page
from statuspage.common import outbound_http
from statuspage.importers.errors import SourceError
from statuspage.importers.fetching import Fetcher
from tests.factories import make_incident, make_page
from tests.importers.running import Ran, run, run_keyed, run_public
from tests.importers.statuspages import FakeStatuspage, component, outage, update
from tests.receivers import ReceivedRequest, Reply

pytestmark = pytest.mark.django_db

BEGAN = datetime(2024, 9, 12, 10, 1, 11, 209000, tzinfo=UTC)
GOOD, BAD = "hfdn5scd1jv1", "b4dn5scd1jv1"
Document = dict[str, Any]


def two(theirs: FakeStatuspage, damage: Callable[[Document], None]) -> None:
    """A good incident and one that was damaged."""
    bad = outage(BAD, BEGAN - timedelta(days=1), name="Damaged")
    damage(bad)
    theirs.incidents = [outage(GOOD, BEGAN), bad]


def skipped(ran: Ran, count: int) -> str:
    """The one line that says why."""
    assert (ran.code, ran.row("incidents")["skipped"]) == (3, count), ran
    assert Incident.objects.filter(public_id=GOOD).exists()
    return next(line for line in ran.output.splitlines() if BAD in line)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("id", {"a": 1}, "its id is an object, not a text"),
        ("created_at", "yesterday", "its created_at “yesterday” is not a time"),
        ("created_at", "0001-01-01T00:00:00Z", "is not between 1990 and 2100"),
        ("incident_updates", "none", "its incident_updates is a text, not a list"),
        ("incident_updates", [], "it has no updates"),
        ("name", ["a"], "its name is a list, not a text"),
    ],
)
@pytest.mark.parametrize("importer", [run_public, run_keyed])
def test_an_incident_that_cannot_be_read_is_named_and_the_others_come(
    theirs: FakeStatuspage, key: str, value: object, why: str, importer: Callable[..., Ran]
) -> None:
    two(theirs, lambda document: document.update({key: value}))
    ran = importer(theirs)
    assert (ran.code, ran.row("incidents")["skipped"]) == (3, 1), ran
    assert why in ran.output
    assert [incident.public_id for incident in Incident.objects.all()] == [GOOD]


def test_an_update_that_cannot_be_read_is_named_and_its_incident_comes(theirs: FakeStatuspage) -> None:
    two(theirs, lambda document: document["incident_updates"][1].update({"display_at": "noon", "id": None}))
    ran = run_public(theirs)
    assert (ran.code, ran.row("updates")["skipped"]) == (3, 1)
    assert f"incident {BAD}, update 2: skipped, because its display_at “noon” is not a time." in ran.output
    assert Incident.objects.get(public_id=BAD).updates.count() == 2


@pytest.mark.parametrize(
    ("word", "read_as"), [("Investigating", "investigating"), ("monitorin", "monitoring"), ("on fire", "investigating")]
)
def test_an_unknown_status_is_read_as_the_nearest_and_reported(theirs: FakeStatuspage, word: str, read_as: str) -> None:
    two(theirs, lambda document: document["incident_updates"][-1].update({"status": word}))
    ran = run_public(theirs)
    assert ran.code == 3
    assert f"“{word}” is unknown and was read as “{read_as}”" in ran.output
    assert Incident.objects.get(public_id=BAD).updates.oldest_first()[0].status == read_as


def test_an_unknown_component_status_and_impact_are_read_as_the_nearest(theirs: FakeStatuspage) -> None:
    theirs.components.append(component("br0l2tvcx85d", "Actions", status="sluggish"))
    two(theirs, lambda document: document.update({"impact": "catastrophic"}))
    ran = run_public(theirs)
    assert ran.code == 3
    assert Component.objects.get(name="Actions").status == "degraded_performance"
    assert Incident.objects.get(public_id=BAD).impact == "minor"
    assert "“sluggish”" in ran.output
    assert "“catastrophic”" in ran.output


def test_times_of_every_zone_are_the_same_moments(theirs: FakeStatuspage) -> None:
    theirs.page["time_zone"] = "Europe/Zurich"
    document = outage(GOOD, BEGAN)
    summer = update("z1", GOOD, "identified", "2024-09-12T12:20:00.000+02:00", "With an offset.")
    naive = update("z2", GOOD, "identified", "2024-09-12T12:25:00", "Without a zone: the page's clock.")
    document["incident_updates"] += [naive, summer]
    theirs.incidents = [document]
    assert run_public(theirs).code == 0
    at = dict(IncidentUpdate.objects.values_list("public_id", "display_at"))
    assert at["z1"] == datetime(2024, 9, 12, 10, 20, tzinfo=UTC)
    assert at["z2"] == datetime(2024, 9, 12, 10, 25, tzinfo=UTC)
    assert Page.objects.get().time_zone == "Europe/Zurich"


def test_a_time_zone_that_nobody_knows_becomes_utc_and_is_reported(theirs: FakeStatuspage) -> None:
    theirs.page["time_zone"] = "Berlin"
    ran = run_public(theirs)
    assert ran.code == 3
    assert "“Berlin” is not a time zone" in ran.output
    assert Page.objects.get().time_zone == "Etc/UTC"


def test_ids_that_come_twice_make_one_of_each(theirs: FakeStatuspage) -> None:
    first, again = outage(GOOD, BEGAN), outage(GOOD, BEGAN)
    first["incident_updates"].append(dict(first["incident_updates"][-1]))
    theirs.incidents = [first, again]
    ran = run_public(theirs)
    assert ran.code == 3
    assert "appears twice" in ran.output
    assert (Incident.objects.count(), IncidentUpdate.objects.count()) == (1, 3)


def test_an_update_id_of_another_incident_gets_a_code_of_its_own_once(theirs: FakeStatuspage) -> None:
    two(theirs, lambda document: document["incident_updates"][0].update({"id": f"a{GOOD[1:]}"}))
    assert run_public(theirs).code == 3
    codes = set(IncidentUpdate.objects.values_list("public_id", flat=True))
    assert len(codes) == 6
    assert run_public(theirs, "--again").row("incidents")["unchanged"] == 2
    assert set(IncidentUpdate.objects.values_list("public_id", flat=True)) == codes


def test_a_code_that_another_page_here_uses_is_left_to_it(theirs: FakeStatuspage) -> None:
    mine = make_incident(make_page(name="Mine"))
    type(mine).objects.filter(pk=mine.pk).update(public_id=BAD)
    two(theirs, lambda document: None)
    assert "the page “Mine” uses its ID" in skipped(run_public(theirs), 1)
    mine.refresh_from_db()
    assert mine.page.name == "Mine"


def test_ids_that_cannot_be_kept_get_codes_that_stay_the_same(theirs: FakeStatuspage) -> None:
    two(theirs, lambda document: document.update({"id": "An-Older-Kind-Of-Id"}))
    ran = run_public(theirs)
    assert "its ID cannot be used" in ran.output
    before = set(Incident.objects.values_list("public_id", flat=True))
    run_public(theirs, "--again")
    assert set(Incident.objects.values_list("public_id", flat=True)) == before


@pytest.mark.parametrize("text", ["<script>alert(1)</script> is how", "[" * 400, "x" * 26_000, "[a](javascript:x)"])
def test_a_text_that_nobody_may_write_here_is_kept_and_shown_as_it_was_typed(theirs: FakeStatuspage, text: str) -> None:
    two(theirs, lambda document: document["incident_updates"][0].update({"body": text}))
    ran = run_public(theirs)
    assert ran.code == 3
    assert "a text is shown without formatting" in ran.output
    update = Incident.objects.get(public_id=BAD).updates.newest_first()[0]
    assert update.body == text
    assert "<script" not in update.body_html
    assert "<a " not in update.body_html


def test_an_update_without_a_text_is_an_update(theirs: FakeStatuspage) -> None:
    two(theirs, lambda document: document["incident_updates"][0].update({"body": None}))
    assert run_public(theirs).code == 0
    assert Incident.objects.get(public_id=BAD).updates.newest_first()[0].body == ""


def truncated(document: object) -> Reply:
    text = json.dumps(document).encode()
    return Reply(body=text[: len(text) // 2])


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (truncated({"page": {}, "incidents": [1, 2, 3]}), "is not JSON: "),
        (Reply(body=b"<!doctype html><p>Log in"), "responds with a web page instead of JSON"),
        (Reply(500), "could not be read in 5 attempts: it responded with 500"),
        (Reply(body=b"[" * 100_000), "is not JSON"),
        (Reply(418), "responded with 418"),
    ],
)
def test_a_list_that_cannot_be_read_is_named_and_the_history_fills_the_gap(
    theirs: FakeStatuspage, reply: Reply, message: str
) -> None:
    theirs.incidents = [outage(GOOD, BEGAN)]
    theirs.broken = {"/api/v2/incidents.json": reply}
    ran = run_public(theirs)
    assert ran.code == 3
    assert message in ran.output
    assert Incident.objects.get().public_id == GOOD


def test_one_broken_page_of_many_costs_only_what_is_on_it(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage(f"a{number:03}5scd1jv1x"[:12], BEGAN - timedelta(hours=number)) for number in range(250)]
    theirs.broken = {"/v1/pages/kctbh9vrtdwd/incidents?limit=100&page=2": Reply(body=b'[{"id": "a1005scd1j')}
    ran = run_keyed(theirs)
    assert (ran.code, Incident.objects.count()) == (3, 150)
    assert "page 2 of incidents" in ran.output
    theirs.broken.clear()
    assert run_keyed(theirs).row("incidents") == {
        "read": 250,
        "created": 100,
        "changed": 0,
        "unchanged": 150,
        "skipped": 0,
    }


def test_without_the_history_the_feed_says_what_there_was(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage(GOOD, BEGAN)]
    gone = Reply(404)
    entry = f'<link rel="alternate" type="text/html" href="{theirs.base}/incidents/{GOOD}"/>'
    theirs.broken = {"/api/v2/incidents.json": gone, "/history.json": gone, "/history": gone}
    theirs.broken["/history.atom"] = Reply(body=f"<feed><entry>{entry}</entry></feed>".encode())
    ran = run_public(theirs)
    assert ran.code == 3
    assert "only the incidents of the Atom feed were found" in ran.output
    assert Incident.objects.get().public_id == GOOD


def test_the_history_is_read_from_its_web_page_if_it_has_no_json(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage(GOOD, BEGAN)]
    props = json.dumps({"months": [{"year": 2010, "incidents": [{"code": GOOD, "name": 'A "quoted" name'}]}]})
    page = f'<div data-react-class="HistoryIndex" data-react-props="{props.replace(chr(34), "&quot;")}"></div>'
    theirs.broken = {path: Reply(404) for path in ("/api/v2/incidents.json", "/history.json")}
    theirs.broken |= {"/history?page=1": Reply(body=page.encode()), "/history?page=2": Reply(body=b"<p>Nothing</p>")}
    run_public(theirs)
    assert Incident.objects.get().public_id == GOOD


PAGE = """<html><body><h1 class="incident-name whitespace-pre-wrap impact-major">Slow &amp; late</h1>
<div class="row update-row"><h2 class="update-title">Resolved</h2><div class="update-body">
<span class="whitespace-pre-wrap">All is well.<br>Really.</span></div><div class="update-timestamp">Posted
<span class="ago" data-datetime-unix="1726138840000"></span>Sep <var data-var="date">12</var></div></div>
<div class="row update-row"><h2 class="update-title">In progress</h2><div class="update-body">
<span class="whitespace-pre-wrap">We are looking.</span></div><div class="update-timestamp">Posted
<span class="ago" data-datetime-unix="1726135240000"></span></div></div></body></html>"""


def test_an_incident_without_json_is_read_from_its_web_page(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage(GOOD, BEGAN)]
    theirs.broken = {
        "/api/v2/incidents.json": Reply(404),
        f"/incidents/{GOOD}.json": Reply(404),
        f"/incidents/{GOOD}": Reply(body=PAGE.encode()),
    }
    run_public(theirs)
    incident = Incident.objects.get()
    assert (incident.public_id, incident.title, incident.impact, incident.status) == (
        GOOD,
        "Slow & late",
        "major",
        "resolved",
    )
    bodies = [(update.display_at, update.body) for update in incident.updates.oldest_first()]
    assert bodies == [
        (datetime(2024, 9, 12, 10, 0, 40, tzinfo=UTC), "We are looking."),
        (datetime(2024, 9, 12, 11, 0, 40, tzinfo=UTC), "All is well.\nReally."),
    ]


def test_what_came_as_json_is_not_doubled_by_its_web_page(theirs: FakeStatuspage) -> None:
    whole = outage(GOOD, datetime(2024, 9, 12, 10, 0, 40, 209000, tzinfo=UTC))
    theirs.incidents = [whole]
    assert run_public(theirs).code == 0
    page = PAGE.replace("In progress", "Investigating")
    theirs.broken = {
        "/api/v2/incidents.json": Reply(404),
        f"/incidents/{GOOD}.json": Reply(body=b"<html>"),
        f"/incidents/{GOOD}": Reply(body=page.encode()),
    }
    assert run_public(theirs, "--again").row("incidents")["unchanged"] == 1
    assert Incident.objects.get().updates.count() == 3


def test_an_answer_larger_than_is_read_at_all_is_refused(
    theirs: FakeStatuspage, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.incidents = [outage(GOOD, BEGAN)]
    theirs.broken = {"/api/v2/incidents.json": Reply(body=b'{"incidents": [' + b" " * 70_000_000 + b"]}")}
    ran = run_public(theirs)
    assert ran.code == 3
    assert f"larger than {outbound_http.MAX_DOCUMENT:,} bytes" in ran.output
    assert Incident.objects.get().public_id == GOOD


def test_what_is_no_statuspage_at_all_is_refused(theirs: FakeStatuspage) -> None:
    theirs.responder = lambda received: Reply(body=b"<html>Hello</html>")
    ran = run_public(theirs)
    assert ran.code == 1
    assert "is not a Statuspage" in ran.error
    assert not Page.objects.exists()


def test_a_private_address_needs_to_be_allowed(theirs: FakeStatuspage, settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOW = []
    ran = run_public(theirs)
    assert ran.code == 1
    assert "add it to OUTBOUND_ALLOW" in ran.output
    assert theirs.requests == []


class Waits:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds

    def clock(self) -> float:
        return self.now


def fetcher(waits: Waits, rate: float = 1.0) -> Fetcher:
    return Fetcher(rate=rate, sleep=waits.sleep, clock=waits.clock)


def test_calls_to_a_host_are_a_second_apart(theirs: FakeStatuspage) -> None:
    waits = Waits()
    asking = fetcher(waits)
    for _ in range(3):
        asking.json(f"{theirs.base}/api/v2/summary.json")
    assert waits.slept == [1.0, 1.0]


@pytest.mark.parametrize(
    ("status", "header", "waited"), [(429, "7", 7.0), (503, "", 2.0), (420, "100000", 600.0), (429, "soon", 2.0)]
)
def test_a_busy_server_is_asked_again_when_it_says_or_a_little_later(
    theirs: FakeStatuspage, status: int, header: str, waited: float
) -> None:
    answers = [Reply(status, headers={"Retry-After": header}), Reply(body=b"[]")]

    def judge(received: ReceivedRequest) -> Reply:
        return answers.pop(0)

    theirs.responder = judge
    waits = Waits()
    assert fetcher(waits).json(f"{theirs.base}/x") == []
    assert waits.slept[0] == waited


def test_a_server_that_stays_busy_is_given_up_after_five_attempts(theirs: FakeStatuspage) -> None:
    theirs.responder = lambda received: Reply(503)
    with pytest.raises(SourceError, match="in 5 attempts: it responded with 503"):
        fetcher(Waits()).json(f"{theirs.base}/x")
    assert len(theirs.requests) == 5


def test_a_page_that_moved_is_followed_but_not_for_ever(theirs: FakeStatuspage) -> None:
    theirs.broken = {"/x": Reply(301, headers={"Location": "/api/v2/summary.json"})}
    assert fetcher(Waits()).json(f"{theirs.base}/x")["page"]["name"] == "Acme"
    theirs.broken = {"/x": Reply(302, headers={"Location": "/x"})}
    with pytest.raises(SourceError, match="redirects too often"):
        fetcher(Waits()).json(f"{theirs.base}/x")


@pytest.mark.parametrize("arguments", [("statuspage",), ("statuspage", "--api-key", "x"), ("cachet",), ("csv",)])
def test_what_is_missing_on_the_command_line_is_asked_for(arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 1
    assert ran.error.startswith(("Use ", "Enter "))


def test_a_page_that_is_not_here_cannot_be_filled(theirs: FakeStatuspage) -> None:
    page = make_page(name="Acme")
    ran = run_public(theirs, "--into", "nope")
    assert f"No page has the ID “nope”. Existing pages: {page.public_id} (Acme)" in ran.error
