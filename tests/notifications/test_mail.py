"""What arrives: read back from a real mail server, as a mail program would."""

import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber
from tests.factories import ALICE, make_component, make_group, make_incident, make_page, make_subscriber, post
from tests.notifications.mailbox import mails_to, parsed, part
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)


@pytest.fixture
def subscriber(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com")


def sent_notification(sink: SmtpSink) -> EmailMessage:
    """The one mail that Ada got."""
    drain()
    (message,) = mails_to(sink, "ada@example.com")
    return message


def test_the_headers_meet_the_requirements_for_bulk_senders(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    make_incident(page, title="API outage")
    message = sent_notification(sink)
    assert message["Subject"] == "[Acme] Investigating: API outage"
    assert message["From"] == "Acme <status@localhost>"
    assert message["To"] == "ada@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Precedence" not in message
    assert message["Feedback-ID"] == f"{Incident.objects.get().public_id}:{page.public_id}:event:candor"
    assert message["List-Id"] == f"Acme <{page.public_id}.127.0.0.1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<http://127\.0\.0\.1:8000/unsubscribe/[^>\s]+>", message["List-Unsubscribe"])
    assert message.get_content_type() == "multipart/alternative"
    event = Delivery.objects.get().event
    assert event is not None
    assert parsedate_to_datetime(message["Date"]) == event.created_at.replace(microsecond=0)


def test_the_one_click_address_unsubscribes_with_a_bare_post(
    page: Page, subscriber: Subscriber, sink: SmtpSink
) -> None:
    make_incident(page)
    address = sent_notification(sink)["List-Unsubscribe"].strip("<>")
    path = address.removeprefix("http://127.0.0.1:8000")
    answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    subscriber.refresh_from_db()
    assert answer.status_code == 200
    assert not answer.cookies
    assert subscriber.state == "unsubscribed"


def test_links_lead_to_the_pages_own_host(sink: SmtpSink) -> None:
    own = make_page(name="Own", domain="status.example.com")
    make_subscriber(own, "ada@example.com")
    make_incident(own)
    message = sent_notification(sink)
    links = re.findall(r"https?://[^\s>\"<]+", part(message, "plain") + message["List-Unsubscribe"])
    assert len(links) == 4
    assert all(link.startswith("http://status.example.com/") for link in links)


def test_the_text_reads_well_in_a_terminal(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    api = make_component(page, "REST API", group=make_group(page, "Public APIs"))
    incident = make_incident(
        page, title="API outage", body="Errors & delays.\n\n- <one>", components={api: "major_outage"}, at=AT
    )
    text = part(sent_notification(sink), "plain")
    before, footer = text.split("\n-- \n")
    assert before == (
        "New incident: Investigating\nAPI outage\n\nErrors & delays.\n\n- <one>\n\n"
        "Posted Sep 21, 2022 - 14:14 UTC\nThis incident affected: Public APIs (REST API).\n\n"
        f"View the incident:\nhttp://127.0.0.1:8000/incidents/{incident.public_id}\n"
    )
    assert footer.startswith(
        "You received this email because you are subscribed to Acme's service status notifications.\n\n"
        "Unsubscribe:\nhttp://127.0.0.1:8000/unsubscribe/"
    )
    assert "\n\nManage your subscription:\nhttp://127.0.0.1:8000/subscribers/" in footer


def test_the_html_says_the_same_and_loads_nothing(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    body = "Errors **everywhere**.\n\n![A graph](https://tracker.example/pixel.png)"
    make_incident(page, title="API <outage>", body=body)
    html = part(sent_notification(sink), "html")
    assert "API &lt;outage&gt;" in html
    assert "<strong>everywhere</strong>" in html
    assert 'href="https://tracker.example/pixel.png"' in html
    assert "A graph</a>" in html
    assert not re.search(r"<(img|link|script|iframe)|url\(|@import", html)
    assert "prefers-color-scheme: dark" in html
    assert re.search(r'class="bar" data-status="investigating" style="[^"]*background: #b34a0c', html)


def test_every_link_placeholder_is_replaced(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    make_incident(page)
    message = sent_notification(sink)
    assert ".invalid" not in part(message, "plain") + part(message, "html")


@pytest.mark.parametrize(
    ("status", "headline"),
    [("identified", "Incident status: Identified"), ("investigating", "An update has been posted")],
)
def test_the_first_line_is_what_mail_parsers_look_for(
    page: Page, subscriber: Subscriber, sink: SmtpSink, status: str, headline: str
) -> None:
    incident = make_incident(page, notify=False)
    post(incident, status)
    assert part(sent_notification(sink), "plain").startswith(headline + "\n")


def test_resolving_and_reopening_say_so(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    incident = make_incident(page, notify=False)
    incident_actions.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    incident_actions.reopen(incident, UpdateInput(body="Not done."), actor=ALICE)
    drain()
    first_lines = [part(message, "plain").split("\n")[0] for message in mails_to(sink, "ada@example.com")]
    assert first_lines == ["Incident resolved", "Incident reopened: Investigating"]


def test_a_postmortem_is_told_in_full(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    incident = make_incident(page, title="API outage", notify=False)
    incident_actions.resolve(incident, UpdateInput(body="Done.", notify=False), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(incident, body="# What happened\n\nRedis moved.", actor=ALICE)
    message = sent_notification(sink)
    assert message["Subject"] == "[Acme] Postmortem: API outage"
    assert "# What happened\n\nRedis moved." in part(message, "plain")
    assert "What happened</h2>" in part(message, "html")


def test_mails_about_an_incident_form_one_thread(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    incident = make_incident(page)
    post(incident)
    make_incident(page)
    drain()
    first, second, other = mails_to(sink, "ada@example.com")
    if first["References"] != second["References"]:
        second, other = other, second
    assert first["References"] == first["In-Reply-To"] == second["References"] != other["References"]
    assert len({m["Message-ID"] for m in (first, second, other)} | {first["References"]}) == 4


def test_a_doubled_mail_has_the_same_message_id(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    make_subscriber(page, "bob@example.com")
    make_incident(page)
    drain()
    Delivery.objects.update(state="queued", sent_at=None)
    drain()
    ids = [[str(message["Message-ID"]) for message in mails_to(sink, f"{name}@example.com")] for name in ("ada", "bob")]
    assert ids[0][0] == ids[0][1]
    assert ids[1][0] == ids[1][1]
    assert ids[0][0] != ids[1][0]


def test_each_reader_gets_only_their_own_links(page: Page, subscriber: Subscriber, sink: SmtpSink) -> None:
    bob = make_subscriber(page, "bob@example.com")
    make_incident(page)
    drain()
    for own, other in ((subscriber, bob), (bob, subscriber)):
        (email,) = sink.to(own.email)
        assert own.public_id.encode() in email.raw
        assert other.public_id.encode() not in email.raw
        assert other.email.encode() not in email.raw


def test_line_breaks_in_names_and_titles_make_no_header(sink: SmtpSink) -> None:
    evil = make_page(name="Acme\r\nBcc: eve@example.com")
    make_subscriber(evil, "ada@example.com")
    incident = make_incident(evil, title="Outage")
    Incident.objects.filter(pk=incident.pk).update(title="Outage\nX-Evil: yes\x1b[2J\u2028end")
    drain()
    (email,) = sink.emails
    message = parsed(email.raw)
    assert message["Bcc"] is None
    assert message["X-Evil"] is None
    assert message["Subject"] == "[Acme Bcc: eve@example.com] Investigating: Outage X-Evil: yes [2J end"
    assert email.recipient == "ada@example.com"
    assert len(message["From"].addresses) == 1


def test_names_in_any_script_arrive_as_they_are(sink: SmtpSink) -> None:
    name = "Ação, Ünïted “Labs” " + "日本" * 35
    page = make_page(name=name)
    make_subscriber(page, "ada@example.com")
    make_incident(page, title="障害が発生しました", body="現在調査中です。")
    message = sent_notification(sink)
    assert message["Subject"] == f"[{name}] Investigating: 障害が発生しました"
    assert message["From"].addresses[0].display_name == name
    assert message["From"].addresses[0].addr_spec == "status@localhost"
    assert name in str(make_header(decode_header(message["List-Id"])))
    assert "現在調査中です。" in part(message, "plain")


def test_the_address_of_mail_from_stands_behind_the_pages_name(
    page: Page, subscriber: Subscriber, sink: SmtpSink, settings: Settings
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Operations <status@acme.example>"
    make_incident(page)
    message = sent_notification(sink)
    assert message["From"] == "Acme <status@acme.example>"
    assert message["Message-ID"].endswith("@acme.example>")


def test_times_are_in_the_pages_zone(sink: SmtpSink) -> None:
    page = make_page(time_zone="Europe/Berlin")
    make_subscriber(page, "ada@example.com")
    make_incident(page, at=AT)
    assert "Posted Sep 21, 2022 - 16:14 CEST" in part(sent_notification(sink), "plain")


def test_all_of_a_batch_costs_a_fixed_number_of_reads(page: Page, sink: SmtpSink) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from statuspage.notifications.fan_out import fan_out_waiting
    from statuspage.notifications.worker import deliver_due

    def reads(subscribers: int) -> int:
        for _ in range(subscribers):
            make_subscriber(page)
        make_incident(page)
        fan_out_waiting()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            deliver_due("email")
        return len([query for query in queries if query["sql"].startswith("SELECT")])

    few = reads(2)
    assert reads(5) == few
