"""axe-core on every page, of the console and for visitors: with the demo and with nothing, wide and on a phone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from pytest_django import Settings

from incidents.actions.pages.logos import set_logo
from incidents.actions.pages.page_settings import set_published_figures
from incidents.actions.postmortems import reviews
from incidents.images import convert_image
from incidents.models import Draft, Incident, Page, Proposal
from incidents.reporting.periods import Period
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.importers.demo.seeding import seed
from statuspage.subscribers.links import confirm_url, manage_url, unsubscribe_url
from tests.console.pages import name_of, unseen, walk
from tests.console.staff import fill_in
from tests.factories import ALICE, make_endpoint, make_page, make_subscriber_with, make_user
from tests.pictures import file_of, wordmark

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe-core" / "axe.min.js"
LOOK = """async () => {
    for (const part of document.querySelectorAll("details")) part.open = true
    const found = await axe.run(document, {resultTypes: ["violations"]})
    const where = one => one.nodes.slice(0, 3).map(node => `${node.html} ${node.failureSummary}`)
    return found.violations.map(one => [one.id, one.help, where(one)])
}"""
# Of what visitors meet.
PUBLIC = (
    *("/", "/history", "/uptime", "/subscribe", "/subscribe/webhook", "/accounts/login/", "/nothing-here"),
    *("/analytics", "/reports"),
)
WIDE, PHONE = "wide, light", "phone, dark"
LOOKS: dict[str, tuple[int, int, Literal["light", "dark"]]] = {WIDE: (1280, 900, "light"), PHONE: (390, 844, "dark")}
# Of a kind of page, so many are looked at: an open and a resolved incident are different pages.
EXAMPLES = 2
# The page of an incident in other words: what a form shows that came back. Or no page at all.
SAME_PAGES = {"post_update", "resolve", "reopen", "impact_start", "presence", "restore_incident", "draft_mail"}
OF_A_POSTMORTEM = ("postmortem", "postmortem/review", "postmortem/retract", "follow-up")
FILES = {"mail_source", "export_postmortem"}  # as it was written
# How the pages that they may see are looked at, and how many these are at least: an owner's are looked at both ways.
ROLES = {Role.EDITOR: (WIDE, 30), Role.VIEWER: (PHONE, 12)}


@pytest.fixture
def tab(browser: Browser, live_server: Any) -> Iterator[Tab]:
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


@pytest.fixture
def demo(transactional_db: None) -> Page:
    page = seed(None, seed=7, now=timezone.now(), log=lambda _: None)[0]
    set_published_figures(page, analytics=True, reports=True, actor=ALICE)
    return set_logo(page, logo=convert_image(file_of(wordmark())), actor=ALICE)


@pytest.fixture
def _a_mail(settings: Settings, tmp_path: Path) -> None:
    settings.MAIL_DIR = tmp_path / "mail"
    door = get_connection("statuspage.notifications.transports.eml_files.EmlBackend")
    mail = EmailMultiAlternatives("Hello", "Read on: https://example.org/a", "status@x.example", ["a@x.example"])
    mail.connection = door
    mail.attach_alternative("<p>Read on</p>", "text/html")
    mail.send()


def signed_in(tab: Tab, role: str) -> Client:
    """A client for the walk, whose session the browser has too."""
    client = Client()
    client.force_login(make_user(role, name="Erin Example"))
    cookie = client.cookies["sessionid"].value
    tab.context.add_cookies([{"name": "sessionid", "value": cookie, "domain": "localhost", "path": "/"}])
    return client


def assert_nothing_found(tab: Tab, paths: list[str], *, looks: tuple[str, ...] = (WIDE, PHONE)) -> None:
    """By axe: wide and light, then on a phone and dark."""
    violations: list[str] = []
    for path in paths:
        for number, look in enumerate(looks):
            width, height, scheme = LOOKS[look]
            tab.set_viewport_size({"width": width, "height": height})
            tab.emulate_media(color_scheme=scheme)
            if number == 0:
                tab.goto(path)
            violations += complaints(tab, f"{path} {look}")
    assert not violations, "\n".join(violations)


def complaints(tab: Tab, where: str) -> list[str]:
    return [f"{where}: {json.dumps(violation, indent=1)}" for violation in tab.evaluate(LOOK)]


def seldom_linked(page: Page) -> list[str]:
    """What stands at addresses that no page of the demo leads to, or only one that was not looked at."""
    incident = page.incidents.incidents().unresolved()[0]
    series = page.maintenance_series.all()[0]
    endpoint = make_endpoint(page, "https://hooks.example.com/in")
    draft = Draft.objects.create(
        page=page, incident=incident, step="update", state="review", author_ref="7", author_label="Otto"
    )
    retractable = page.incidents.filter(postmortem__published_at__isnull=False)[0]
    reviews.comment(retractable.postmortem, body="Who noticed?", actor=ALICE)
    reviews.request_approval(retractable.postmortem, actor=ALICE)
    proposal = propose_a_change(page, incident)
    console = f"/console/p/{page.public_id}"
    return [
        f"{console}/incidents/{incident.public_id}/deliveries",
        *(f"{console}/incidents/{retractable.public_id}/{more}" for more in OF_A_POSTMORTEM),
        f"{console}/series/{series.public_id}",
        f"{console}/series/{series.public_id}/edit",
        f"{console}/series/{series.public_id}/end",
        f"{console}/channels/{endpoint.public_id}",
        f"{console}/channels/{endpoint.public_id}/remove",
        f"{console}/drafts/{draft.public_id}",
        f"{console}/proposals/{proposal.public_id}",
    ]


def propose_a_change(page: Page, incident: Incident) -> Proposal:
    """Edit an update as an editor while changes need approval."""
    path = f"/console/p/{page.public_id}/updates/{incident.updates.newest_first()[0].public_id}/edit"
    editor = Client()
    editor.force_login(make_user(Role.EDITOR, name="Otto Example"))
    Page.objects.filter(pk=page.pk).update(requires_approval=True)
    editor.post(path, fill_in(editor, path, body="Changed text."))
    Page.objects.filter(pk=page.pk).update(requires_approval=False)
    return Proposal.objects.get()


@pytest.mark.usefixtures("_a_mail")
def test_axe_finds_nothing_on_any_page_of_the_console(tab: Tab, demo: Page) -> None:
    client = signed_in(tab, Role.OWNER)
    pages = walk(client, per_name=EXAMPLES)
    more = seldom_linked(demo)
    seen = {name_of(path) for path in more}
    assert unseen(pages, client) - seen - SAME_PAGES - FILES == set()
    assert len(pages.pages) >= 35
    assert_nothing_found(tab, [*(path for _, path in pages), *more])


@pytest.mark.usefixtures("_a_mail")
def test_axe_finds_nothing_on_what_editors_and_viewers_may_see(tab: Tab, demo: Page) -> None:
    more = seldom_linked(demo)
    for role, (look, count) in ROLES.items():
        client = signed_in(tab, role)
        pages = walk(client, per_name=1)
        assert len(pages.pages) >= count
        paths = [path for _, path in pages] + [path for path in more if client.get(path).status_code == 200]
        refusal = console_url(demo, "settings")
        assert client.get(refusal).status_code == 403
        assert_nothing_found(tab, [*paths, refusal], looks=(look,))


def test_axe_finds_nothing_where_there_is_nothing_yet(tab: Tab, transactional_db: None) -> None:
    make_page()
    pages = walk(signed_in(tab, Role.OWNER), per_name=1)
    assert len(pages.pages) >= 25
    assert_nothing_found(tab, [path for _, path in pages])


def test_axe_finds_nothing_on_what_visitors_see(tab: Tab, demo: Page) -> None:
    reports = [f"/incidents/{incident.public_id}" for incident in demo.incidents.newest_first()[:2]]
    component = demo.components.active().filter(showcase=True)[0].public_id
    month = Period.month_at(timezone.now(), demo.zone).code
    figures = [f"/uptime/{component}", f"/reports/{component}/{month}"]
    assert_nothing_found(tab, [*PUBLIC, *reports, *figures])


def test_axe_finds_nothing_where_the_links_in_mails_lead(tab: Tab, demo: Page) -> None:
    reader = make_subscriber_with(demo)
    links = [confirm_url(reader), manage_url(reader), unsubscribe_url(reader)]
    assert_nothing_found(tab, [*(urlsplit(link).path for link in links), "/subscribers/nobody", "/unsubscribe/nobody"])
