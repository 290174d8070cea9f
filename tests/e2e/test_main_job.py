"""The main job, end to end: a real report in a real browser against the real product, up to its postmortem."""

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from html import unescape

import feedparser
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.report import Part, Report, read
from tests.live import Candor
from tests.servers import Postgres, ReceivedEmail, Redis, SmtpSink, wait_until

CONFIRMED = ["ada@example.com", "grace@example.com"]
UNCONFIRMED = "mallory@example.com"
OWNER, PASSWORD = "owner@example.com", "correct horse battery"

SET_UP = """
from incidents.actions.components import component_lifecycle as components
from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.accounts.models import User
page = Page.objects.create(name={company!r})
group = components.create_group(page, name={group!r}, actor=SYSTEM)
components.create_component(page, name={component!r}, group=group, actor=SYSTEM)
User.objects.create_user({owner!r}, password={password!r}, role="owner")
"""


@pytest.fixture(params=["sqlite", "postgresql-redis-celery"])
def product(request: pytest.FixtureRequest, candor: Candor, smtp_sink: SmtpSink) -> Candor:
    """An empty page of the report's company, served whole, mailing to the sink."""
    report = read()
    candor.env["EMAIL_URL"] = smtp_sink.url
    if request.param != "sqlite":
        postgres: Postgres = request.getfixturevalue("postgres_server")
        redis: Redis = request.getfixturevalue("redis_server")
        candor.env |= {"DATABASE_URL": postgres.create(f"job_{candor.port}"), "REDIS_URL": redis.url}
    candor.manage("migrate", "--verbosity", "0")
    names = {"company": report.company, "group": report.group, "component": report.component}
    candor.manage("shell", "--command", SET_UP.format(**names, owner=OWNER, password=PASSWORD))
    candor.serve()
    return candor


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield tab
    context.close()
    assert not complaints, "the browser complained (content security policy?)"


def opened(received: ReceivedEmail) -> EmailMessage:
    message = email.message_from_bytes(received.raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(received: ReceivedEmail) -> str:
    part = opened(received).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def subscribe(tab: Page, product: Candor, sink: SmtpSink, address: str, *, confirm: bool) -> None:
    tab.goto(product.url)
    tab.get_by_role("link", name="Subscribe to updates").click()
    tab.get_by_label("Email address").fill(address)
    tab.get_by_role("button", name="Subscribe").click()
    (received,) = wait_until(lambda: sink.to(address), f"a confirmation for {address}")
    link = re.search(r"http://\S+/subscribe/confirm/\S+", text_of(received))
    assert link
    tab.goto(link.group())
    if confirm:
        tab.get_by_role("button", name="Confirm subscription").click()
        expect(tab.get_by_role("heading", name="You are subscribed")).to_be_visible()


def sign_in(tab: Page, product: Candor) -> None:
    tab.goto(f"{product.url}/console/")
    tab.get_by_label("Email").fill(OWNER)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("link", name="Declare incident")).to_be_visible()


def backdate(section: Page | Locator, part: Part) -> None:
    section.get_by_text("Backdate this update").click()
    section.get_by_label("Time", exact=True).fill(f"{part.at:%Y-%m-%d %H:%M}")


def declare(tab: Page, report: Report) -> None:
    first = report.updates[-1]
    tab.get_by_role("link", name="Declare incident").click()
    tab.get_by_label("Title").fill(report.title)
    tab.get_by_label("Message").fill(first.markdown)
    tab.get_by_label(report.component).select_option("partial_outage")
    backdate(tab, first)
    expect(tab.locator(".preview")).to_contain_text(first.text_lines[0])
    tab.get_by_role("button", name="Publish incident").click()
    expect(tab.get_by_text("All notifications sent", exact=True)).to_be_visible(timeout=20_000)


def follow_up(tab: Page, part: Part, status: str) -> None:
    form = tab.locator("form[action$='/update']")
    form.get_by_label("Status").select_option(status)
    form.get_by_label("Message").fill(part.markdown)
    backdate(form, part)
    form.get_by_role("button", name="Post update").click()
    expect(tab.get_by_text("Update published.")).to_be_visible()


def resolve(tab: Page, part: Part) -> None:
    section = tab.locator("#resolve")
    section.locator("summary").first.click()
    section.get_by_label("Message").fill(part.markdown)
    backdate(section, part)
    section.get_by_role("button", name="Resolve incident").click()
    expect(tab.get_by_text("Incident resolved.", exact=True)).to_be_visible()


def publish_postmortem(tab: Page, part: Part) -> None:
    tab.get_by_role("link", name="Write postmortem").click()
    tab.get_by_label("Text", exact=True).fill(part.markdown)
    tab.get_by_label("Action", exact=True).first.fill("Raise an alarm")
    tab.get_by_text("Backdate this postmortem").click()
    tab.get_by_label("Published at").fill(f"{part.at:%Y-%m-%d %H:%M}")
    tab.get_by_role("button", name="Publish postmortem").click()
    expect(tab.get_by_text("Postmortem published.")).to_be_visible()


def assert_in_order(needles: list[str], text: str) -> None:
    position = 0
    for needle in needles:
        index = text.find(needle, position)
        assert index >= 0, f"{needle!r} is missing, or comes too early, in:\n{text}"
        position = index + len(needle)


def assert_page_carries(report: Report, tab: Page, product: Candor) -> None:
    tab.goto(f"{product.url}/history")
    older = tab.get_by_role("link", name="Older")
    while not tab.get_by_role("link", name=report.title).count() and older.count():
        older.first.click()
    tab.get_by_role("link", name=report.title).click()
    path = tab.url.removeprefix(product.url)
    wait_until(lambda: 'id="postmortem"' in product.get(path), "the postmortem is published")
    tab.reload()
    text = re.sub(r"[ \t]+", " ", tab.locator("main").inner_text())
    parts = [report.postmortem, *report.updates]
    assert_in_order([report.title, f"Incident Report for {report.company}"], text)
    assert_in_order([line for part in parts for line in part.text_lines] + [report.affected], text)
    assert_in_order([f"Posted {part.posted} UTC" for part in parts], text)
    for part in parts:
        own = tab.locator(".ledger", has_text=f"Posted {part.posted} UTC").first.inner_text()
        assert_in_order(part.text_lines, own)
        stamp = f"{part.at:%Y-%m-%dT%H:%M:%SZ}"
        assert tab.locator(f"time[datetime='{stamp}']", has_text=f"{part.posted} UTC").count() >= 1
    assert tab.locator(".prose ol > li").count() == 3


def published_feed(product: Candor) -> str:
    """Return the Atom feed once it contains a postmortem, else an empty string."""
    text = product.get("/history.atom")
    return text if "<strong>Postmortem</strong>" in unescape(text) else ""


def assert_feed_carries(report: Report, product: Candor) -> None:
    text = wait_until(lambda: published_feed(product), "the published feed contains the postmortem")
    feed = feedparser.parse(text)
    (entry,) = feed.entries
    assert not feed.bozo
    assert entry.title == report.title
    plain = re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", entry.content[0].value)))
    parts = [report.postmortem, *report.updates]
    assert_in_order([line for part in parts for line in part.text_lines], plain)
    assert_in_order([f"{part.at:%b} {part.at.day:2d} , {part.at:%H:%M}".replace("  ", " ") for part in parts], plain)


def assert_mails(report: Report, sink: SmtpSink) -> None:
    labels = ["Investigating", "Monitoring", "Resolved", "Postmortem"]
    wanted = [f"[{report.company}] {label}: {report.title}" for label in labels]
    wait_until(lambda: len(sink.emails) >= 3 + 2 * len(labels), "one mail per event and confirmed subscriber")
    for address in CONFIRMED:
        emails = [opened(received) for received in sink.to(address)[1:]]
        assert [message["Subject"] for message in emails] == wanted
        assert len({message["Message-ID"] for message in emails}) == len(emails)
        (thread,) = {message["References"] for message in emails}
        assert re.fullmatch(r"<\S+@\S+>", thread)
        for message in emails:
            assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert re.fullmatch(r"<https?://\S+/unsubscribe/\S+>", message["List-Unsubscribe"].strip())
            assert message["To"] == address
            assert message["Auto-Submitted"] == "auto-generated"
            assert message.get_body(("html",)) is not None
    for line in report.updates[-1].text_lines:
        assert line in text_of(sink.to(CONFIRMED[0])[1])
    assert len(sink.to(UNCONFIRMED)) == 1
    assert "onfirm" in opened(sink.to(UNCONFIRMED)[0])["Subject"]


def test_a_real_report_is_carried_from_first_update_to_postmortem(
    product: Candor, tab: Page, smtp_sink: SmtpSink
) -> None:
    report = read()
    for address in CONFIRMED:
        subscribe(tab, product, smtp_sink, address, confirm=True)
    subscribe(tab, product, smtp_sink, UNCONFIRMED, confirm=False)
    sign_in(tab, product)
    declare(tab, report)
    follow_up(tab, report.updates[1], "monitoring")
    resolve(tab, report.updates[0])
    publish_postmortem(tab, report.postmortem)
    assert_page_carries(report, tab, product)
    assert_feed_carries(report, product)
    assert_mails(report, smtp_sink)
    tab.goto(product.url)
    expect(tab.get_by_role("heading", name="All Systems Operational")).to_be_visible()
