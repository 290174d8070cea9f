import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from pytest_django import Settings

from incidents.models import Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications.bounces import bounces
from statuspage.notifications.models import BounceKind, ChannelState, Delivery
from tests.factories import make_incident, make_page, make_subscriber, make_user

pytestmark = pytest.mark.django_db

BACKEND = "statuspage.notifications.transports.eml_files.EmlBackend"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MAIL_DIR = tmp_path / "mail"
    return tmp_path / "mail"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def write(subject: str = "Hello", to: str = "reader@example.org", text: str = "Read on.") -> None:
    message = EmailMultiAlternatives(subject, text, "status@example.org", [to], connection=get_connection(BACKEND))
    message.attach_alternative("<p>HTML part</p>", "text/html")
    message.send()


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def links(client: Client, query: str = "") -> list[str]:
    return re.findall(
        r'href="(/console/p/acme/mail/[^"]+)"', client.get(f"/console/p/acme/mail{query}").content.decode()
    )


def test_before_the_first_mail_the_page_says_what_will_be_here(editor: Client) -> None:
    text = text_of(editor.get("/console/p/acme/mail"))
    assert "No mail server is configured" in text
    assert "No emails yet." in text


def test_mails_are_listed_newest_first(editor: Client) -> None:
    write("[Acme] Investigating: Größe der Anhänge", to="dana@example.org")
    write("Second")
    text = text_of(editor.get("/console/p/acme/mail"))
    assert text.index("Second") < text.index("[Acme] Investigating: Größe der Anhänge")
    assert "dana@example.org" in text


def test_a_mail_opens_with_its_text_and_links_that_work(editor: Client) -> None:
    write(text="Confirm here: http://127.0.0.1/subscribe/abc?x=1\n\nUmlaut: ü <script>")
    html = editor.get(links(editor)[0]).content.decode()
    assert '<a href="http://127.0.0.1/subscribe/abc?x=1"' in html
    assert "Umlaut: ü &lt;script&gt;" in html


def test_the_source_is_only_ever_text(editor: Client) -> None:
    write(subject="<script>alert(1)</script>")
    answer = editor.get(f"{links(editor)[0]}/source")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"Subject: <script>alert(1)</script>" in answer.content
    assert b"<script>alert" not in editor.get("/console/p/acme/mail").content


@pytest.mark.parametrize(
    "name",
    [
        "../candor.sqlite3",
        "..%2Fsecret_key",
        "%2e%2e%2fsecret_key",
        "/etc/passwd",
        ".20260101T000000.000000-00000000.eml",
        "20260101T000000.000000-00000000.eml",
        "20260101T000000.000000-00000000.eml%00",
        "20260101T000000.000000-00000000.eml%0a",
        "٢٠260101T000000.000000-00000000.eml",
        "x.eml",
    ],
)
def test_nothing_outside_the_folder_can_be_named(editor: Client, folder: Path, name: str) -> None:
    folder.mkdir()
    (folder.parent / "secret_key").write_text("secret")
    (folder / "x.eml").write_text("not one of ours")
    for path in (f"/console/p/acme/mail/{name}", f"/console/p/acme/mail/{name}/source"):
        answer = editor.get(path)
        assert answer.status_code == 404
        assert b"secret" not in answer.content


def test_a_damaged_file_does_not_break_the_list(editor: Client, folder: Path) -> None:
    write("Whole")
    (folder / "20990101T000000.000000-00000000.eml").write_bytes(b"\xff\xfe\x00Subject\n\n\x80")
    assert len(links(editor)) == 2
    assert editor.get(links(editor)[0]).status_code == 200


def test_fifty_stand_on_a_page(editor: Client) -> None:
    for number in range(51):
        write(f"Mail {number}")
    assert len(links(editor)) == 50
    assert "Mail 0" in text_of(editor.get("/console/p/acme/mail?page=2"))


@pytest.mark.django_db(transaction=True)
def test_a_link_that_sets_a_password_is_for_owners(editor: Client, settings: Settings) -> None:
    settings.EMAIL_BACKEND = BACKEND
    owner = make_user("owner")
    Client().post("/accounts/password/reset/", {"email": owner.email})
    drain()
    assert "Set a new password only visible to owners" in text_of(editor.get("/console/p/acme/mail"))
    assert links(editor) == []
    boss = signed_in("owner")
    (link,) = links(boss)
    for path in (link, f"{link}/source"):
        assert editor.get(path).status_code == 404
        assert b"password/reset/key" in boss.get(path).content.replace(b"=\n", b"")


def test_viewers_read_no_mail(page: Page) -> None:
    write()
    assert signed_in("viewer").get("/console/p/acme/mail").status_code == 403


def test_with_a_mail_server_the_page_tells_how_it_is_doing(editor: Client, page: Page, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://user:hush@mail.example.org:2525"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example.org", 2525
    text = text_of(editor.get("/console/p/acme/mail"))
    assert "Emails are sent through mail.example.org:2525 ." in text
    assert "hush" not in text
    ChannelState.objects.pause("email", "Connection refused.")
    assert "has been failing since" in text_of(editor.get("/console/p/acme/mail"))
    assert "Connection refused." in text_of(editor.get("/console/p/acme/mail"))


def test_what_was_given_up_is_listed_with_the_reason(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    incident = make_incident(page, title="API outage")
    event = incident.events.get()
    for number in range(25):
        reader = make_subscriber(page, f"reader{number}@example.org")
        fields: dict[str, Any] = {"state": "failed", "last_error": f"550 no mailbox {number}", "incident": incident}
        Delivery.objects.create(event=event, subscriber=reader, channel="email", priority=1, **fields)
    elsewhere = make_subscriber(make_page(name="Other"), "theirs@example.org")
    Delivery.objects.create(event=event, subscriber=elsewhere, channel="email", priority=1, state="failed")
    with django_assert_max_num_queries(8):
        text = text_of(editor.get("/console/p/acme/mail"))
    assert "reader24@example.org API outage 550 no mailbox 24" in text
    assert "reader4@example.org" not in text
    assert "theirs@example.org" not in text


def test_what_came_back_is_listed_with_the_reason_and_what_followed(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    incident = make_incident(page, title="API outage")
    about: dict[str, Any] = {"event": incident.events.get(), "incident": incident, "channel": "email", "priority": 1}
    for number in range(25):
        reader = make_subscriber(page, f"reader{number}@example.org")
        delivery = Delivery.objects.create(subscriber=reader, state="sent", **about)
        bounces.record_bounce(delivery, BounceKind.HARD, status="5.1.1", message=f"550 5.1.1 no mailbox {number}")
    theirs = make_subscriber(make_page(name="Other"), "theirs@example.org")
    delivery = Delivery.objects.create(subscriber=theirs, state="sent", **about)
    bounces.record_bounce(delivery, BounceKind.COMPLAINT, status="", message="Reported as abuse")
    with django_assert_max_num_queries(8):
        text = text_of(editor.get("/console/p/acme/mail"))
    row = "reader24@example.org Now: paused API outage Permanently rejected 550 5.1.1 no mailbox 24"
    assert row in text
    assert "reader4@example.org" not in text
    assert "theirs@example.org" not in text


def test_what_the_mail_server_refused_itself_is_listed_once(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    about: dict[str, Any] = {"event": incident.events.get(), "channel": "email", "priority": 1}
    delivery = Delivery.objects.create(subscriber=make_subscriber(page), state="failed", last_error="550 no", **about)
    bounces.record_rejections([(delivery, "550 no")])
    text = text_of(editor.get("/console/p/acme/mail"))
    assert "Recent failed deliveries" in text
    assert "Recent bounces" not in text


def test_what_was_refused_because_of_us_is_pointed_out(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    about: dict[str, Any] = {"event": incident.events.get(), "channel": "email", "priority": 1, "state": "sent"}
    for kind, is_shown in ((BounceKind.HARD, False), (BounceKind.POLICY, True)):
        delivery = Delivery.objects.create(subscriber=make_subscriber(page), **about)
        bounces.record_bounce(delivery, kind, status="", message="554 Listed")
        assert (
            "1 of these emails was rejected because of the sender" in text_of(editor.get("/console/p/acme/mail"))
        ) is is_shown


def test_only_owners_are_offered_a_test_mail(page: Page) -> None:
    assert "Send test email" in text_of(signed_in("owner").get("/console/p/acme/mail"))
    assert "Send test email" not in text_of(signed_in("editor").get("/console/p/acme/mail"))
