"""Mails to staff: who gets them, when, and that no dispatcher, crash or mail server makes two or none of one."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.incidents.attributes import edit_details
from incidents.actions.incidents.follow_ups import follow_up
from incidents.actions.pages.page_settings import set_staff_reminders
from incidents.actions.update_input import UpdateInput
from incidents.models import Draft, DraftState, Incident, Page
from incidents.reminders.overdue_updates import Reminders
from statuspage.accounts.models import AccountEmailKind, AccountEmailRequest, User
from statuspage.dispatcher.loop import Dispatcher
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import ChannelState, Delivery, StaffNotice, StaffNoticeKind
from statuspage.notifications.staff import notices
from statuspage.notifications.staff.deliveries import message_to_person
from statuspage.notifications.staff.notices import queue_staff_notices
from statuspage.notifications.transports.smtp.envelope import ComposedMessage
from statuspage.notifications.worker import deliver_due
from statuspage.subscribers.models.database_time import from_now
from tests.factories import ALICE, make_component, make_incident, make_user, post
from tests.notifications.mailbox import mails_to, parsed, part, use_server
from tests.servers import SmtpSink, free_port
from tests.smtp_sink_process import FastSink

pytestmark = pytest.mark.django_db(transaction=True)  # sending records its results from another thread

ERIN = "erin@example.org"


@pytest.fixture
def staff_member(page: Page) -> User:
    return make_user("editor", email=ERIN, name="Erin")


@pytest.fixture
def outage(page: Page) -> Incident:
    return make_incident(page, title="API outage", components={make_component(page, "API"): "major_outage"})


def go_round(after: float) -> None:
    """Queue and send what is due in so many minutes."""
    with time_machine.travel(timezone.now() + timedelta(minutes=after)):
        queue_staff_notices(timezone.now())
        deliver_due("email")


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def free() -> None:
    """Let time pass in the database: leases, retries and pauses are over."""
    past = from_now(-timedelta(seconds=1))
    Delivery.objects.update(next_attempt_at=past)
    Delivery.objects.filter(lease_until__isnull=False).update(lease_until=past)
    ChannelState.objects.update(paused_until=past)


def all_sent() -> bool:
    return set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


def test_a_silent_incident_is_mailed_once_and_again_after_as_long_and_three_times_in_all(
    staff_member: User, outage: Incident
) -> None:
    go_round(14)
    assert mail.outbox == []
    for minutes in (15, 15.5, 20, 30, 31, 45, 46, 60, 600, 6000):
        go_round(minutes)
    assert subjects() == [f"[Acme] No update for {n} minutes: API outage" for n in (15, 30, 45)]
    assert [message.to for message in mail.outbox] == [[ERIN]] * 3
    assert "This is the last reminder" in str(mail.outbox[2].body)
    assert "This is the last reminder" not in str(mail.outbox[1].body)


def test_the_mail_says_what_visitors_see_and_where_to_write(staff_member: User, outage: Incident) -> None:
    go_round(16)
    (message,) = mail.outbox
    text = str(message.body)
    assert "Status: Investigating, critical impact" in text
    assert "This incident affected: API." in text
    assert f"/console/p/acme/incidents/{outage.public_id}\n" in text
    assert "/console/p/acme/account" in text
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert len({message.extra_headers["Message-ID"], message.extra_headers["References"]}) == 2


def test_an_update_that_waits_for_approval_is_named(page: Page, staff_member: User, outage: Incident) -> None:
    draft = Draft.objects.create(page=page, incident=outage, step="update", author_ref="2", author_label="Bob")
    go_round(16)
    Draft.objects.filter(pk=draft.pk).update(state=DraftState.REVIEW)
    go_round(31)
    are_waiting = ["An update by Bob is waiting for approval." in str(message.body) for message in mail.outbox]
    assert are_waiting == [False, True]


def test_an_update_begins_the_count_anew(staff_member: User, outage: Incident) -> None:
    go_round(16)
    post(outage)
    go_round(14)
    assert len(mail.outbox) == 1
    go_round(16)
    assert len(mail.outbox) == 2
    assert mail.outbox[0].extra_headers["Message-ID"] != mail.outbox[1].extra_headers["Message-ID"]
    assert mail.outbox[0].extra_headers["References"] == mail.outbox[1].extra_headers["References"]


def test_who_was_not_running_reminds_once_and_not_for_each_time_missed(staff_member: User, outage: Incident) -> None:
    go_round(500)
    assert subjects() == ["[Acme] No update for 8 hours 20 minutes: API outage"]


def test_a_resolved_incident_is_mailed_to_nobody(staff_member: User, outage: Incident) -> None:
    well = dict.fromkeys(outage.affected_components(), "operational")
    actions.resolve(outage, UpdateInput(body="It works again."), restore=well, actor=ALICE)
    go_round(1000)
    assert mail.outbox == []
    assert not StaffNotice.objects.exists()


@pytest.mark.parametrize("rules", [Reminders(critical=0), Reminders(by_mail=False)])
def test_what_the_page_has_switched_off_is_not_mailed(
    page: Page, staff_member: User, outage: Incident, rules: Reminders
) -> None:
    set_staff_reminders(page, rules, actor=ALICE)
    go_round(1000)
    assert mail.outbox == []
    assert not StaffNotice.objects.exists()


def test_an_incident_with_intervals_of_its_own_keeps_to_them(staff_member: User, outage: Incident) -> None:
    edit_details(outage, reminder_intervals="[2, 5]", actor=ALICE)
    for minutes in (60, 119, 120, 180, 299, 300, 6000):
        go_round(minutes)
    assert subjects() == [f"[Acme] No update for {n} hours: API outage" for n in (2, 5)]


def test_active_editors_and_owners_who_want_it_are_mailed(page: Page, outage: Incident) -> None:
    make_user("viewer", email="viewer@example.org")
    make_user("editor", email="away@example.org")
    make_user("owner", email="quiet@example.org")
    User.objects.filter(email="away@example.org").update(is_active=False)
    User.objects.filter(email="quiet@example.org").update(wants_reminders=False)
    for role in ("editor", "owner"):
        make_user(role, email=f"{role}@example.org")
    go_round(16)
    assert sorted(message.to[0] for message in mail.outbox) == ["editor@example.org", "owner@example.org"]
    ids = {message.extra_headers["Message-ID"] for message in mail.outbox}
    assert len(ids) == 2


def test_a_title_with_a_line_break_breaks_no_header(staff_member: User, outage: Incident) -> None:
    Incident.objects.update(title="API\r\nBcc: x@example.org")
    go_round(16)
    assert subjects() == ["[Acme] No update for 16 minutes: API Bcc: x@example.org"]


# Red after the resolve


def test_components_that_are_red_after_the_resolve_are_mailed_once(staff_member: User, outage: Incident) -> None:
    actions.resolve(outage, UpdateInput(body="It works again."), restore=None, actor=ALICE)
    go_round(14)
    assert mail.outbox == []
    for minutes in (15, 16, 1000):
        go_round(minutes)
    (message,) = mail.outbox
    assert message.subject == "[Acme] Still not operational: API"
    assert "API: Major Outage" in str(message.body)
    assert "/console/p/acme/#components-title" in str(message.body)


def test_telling_what_was_done_since_mails_nobody_again(staff_member: User, outage: Incident) -> None:
    actions.resolve(outage, UpdateInput(body="It works again."), restore=None, actor=ALICE)
    go_round(16)
    follow_up(outage, UpdateInput(body="We changed the alarm."), actor=ALICE)
    go_round(60)
    assert subjects() == ["[Acme] Still not operational: API"]


def test_a_second_resolve_that_leaves_them_red_is_mailed_again(staff_member: User, outage: Incident) -> None:
    for _ in range(2):
        actions.resolve(outage, UpdateInput(body="It works again."), restore=None, actor=ALICE)
        go_round(16)
        actions.reopen(outage, UpdateInput(body="It is back."), actor=ALICE)
    assert subjects() == ["[Acme] Still not operational: API"] * 2


@pytest.mark.parametrize("rules", [Reminders(still_red=0), Reminders(by_mail=False)])
def test_they_are_not_mailed_where_that_is_switched_off(
    page: Page, staff_member: User, outage: Incident, rules: Reminders
) -> None:
    set_staff_reminders(page, rules, actor=ALICE)
    actions.resolve(outage, UpdateInput(body="It works again."), restore=None, actor=ALICE)
    go_round(1000)
    assert mail.outbox == []


# Mail servers


def test_over_smtp_it_arrives_with_the_name_of_the_page(sink: SmtpSink, staff_member: User, outage: Incident) -> None:
    go_round(16)
    (message,) = mails_to(sink, ERIN)
    assert message["Subject"] == "[Acme] No update for 16 minutes: API outage"
    assert message["From"].startswith("Acme <")
    assert "Post an update" in part(message, "plain")


def test_while_mail_is_paused_nothing_is_sent_and_nothing_forgotten(staff_member: User, outage: Incident) -> None:
    ChannelState.objects.pause("email", "Connection refused")
    go_round(16)
    assert mail.outbox == []
    free()
    go_round(17)
    assert subjects() == ["[Acme] No update for 17 minutes: API outage"]
    assert not ChannelState.objects.in_trouble().exists()


def test_an_unreachable_server_fails_no_delivery_and_is_retried(
    sink: SmtpSink, settings: Settings, staff_member: User, outage: Incident
) -> None:
    there, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    go_round(16)
    assert ChannelState.objects.is_paused("email")
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.lease_token) == ("queued", 0, "")
    assert "refused" in ChannelState.objects.get().last_error
    settings.EMAIL_PORT = there
    go_round(17)
    assert sink.emails == []
    free()
    go_round(18)
    assert len(mails_to(sink, ERIN)) == 1
    assert User.objects.to_remind().get() == staff_member


def test_a_silent_server_delays_staff_and_account_emails_and_loses_none(
    fast_sink: FastSink, settings: Settings, monkeypatch: pytest.MonkeyPatch, staff_member: User, outage: Incident
) -> None:
    monkeypatch.setattr("statuspage.notifications.transports.smtp.connect.CONNECT_SECONDS", 1.5)
    use_server(settings, fast_sink.port)
    fast_sink.set(mute=1)
    AccountEmailRequest.objects.create(kind=AccountEmailKind.PASSWORD_RESET, address=ERIN)
    fan_out_waiting()
    go_round(16)
    assert ChannelState.objects.is_paused("email")
    rows = set(Delivery.objects.values_list("kind", "state", "attempts", "lease_token"))
    assert rows == {(kind, "queued", 0, "") for kind in ("staff.notice", "account.password_reset")}
    fast_sink.set(mute=0)
    free()
    go_round(17)
    assert all_sent()
    assert fast_sink.stat()["mails"] == 2


def test_a_server_that_was_away_for_long_is_handed_the_last_one_alone(
    sink: SmtpSink, settings: Settings, staff_member: User, outage: Incident
) -> None:
    there, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    for minutes in (16, 31):
        go_round(minutes)
        free()
    settings.EMAIL_PORT = there
    go_round(46)
    (message,) = mails_to(sink, ERIN)
    assert message["Subject"] == "[Acme] No update for 46 minutes: API outage"
    assert [notice.number for notice in StaffNotice.objects.all()] == [3]


def test_somebody_refused_for_good_keeps_nobody_else_from_it(
    sink: SmtpSink, staff_member: User, outage: Incident
) -> None:
    make_user("owner", email="owner@example.org")
    sink.refuse = {ERIN: "550 5.1.1 No such user"}
    go_round(16)
    free()
    go_round(17)
    assert [email.recipient for email in sink.emails] == ["owner@example.org"]
    assert set(Delivery.objects.values_list("person__email", "state")) == {
        (ERIN, "failed"),
        ("owner@example.org", "sent"),
    }
    assert not ChannelState.objects.in_trouble().exists()


def test_somebody_refused_for_now_gets_it_later_and_the_others_get_it_once(
    sink: SmtpSink, staff_member: User, outage: Incident
) -> None:
    make_user("owner", email="owner@example.org")
    sink.refuse = {ERIN: "451 4.2.0 Come again"}
    go_round(16)
    go_round(16)
    sink.refuse = {}
    free()
    go_round(17)
    assert [email.recipient for email in sink.emails] == ["owner@example.org", ERIN]


# Crashes and company


def queue_notice(outage: Incident) -> None:
    people = list(User.objects.to_remind())
    StaffNotice.objects.remind_after(outage.updates.get(), StaffNoticeKind.OVERDUE_UPDATE, people=people)


def test_a_worker_killed_between_claim_and_mail_loses_nothing(staff_member: User, outage: Incident) -> None:
    queue_notice(outage)
    assert Delivery.objects.claim("email", token="killed", limit=9)
    go_round(16)
    assert mail.outbox == []
    free()
    go_round(17)
    assert len(mail.outbox) == 1


def test_after_a_worker_was_killed_half_way_the_rest_is_sent(staff_member: User, outage: Incident) -> None:
    make_user("owner", email="owner@example.org")
    queue_notice(outage)
    Delivery.objects.mark_sent([Delivery.objects.get(person=staff_member).pk])
    go_round(16)
    assert [message.to for message in mail.outbox] == [["owner@example.org"]]


def test_a_notice_is_queued_once_for_each_person(staff_member: User, outage: Incident) -> None:
    for _ in range(2):
        queue_notice(outage)
    assert Delivery.objects.get().person == staff_member


def test_a_person_who_opted_out_before_it_was_sent_gets_none(staff_member: User, outage: Incident) -> None:
    queue_notice(outage)
    User.objects.update(wants_reminders=False)
    go_round(16)
    assert mail.outbox == []
    assert not Delivery.objects.exists()


def test_two_dispatchers_at_the_same_time_send_one_mail(sink: SmtpSink, staff_member: User, outage: Incident) -> None:
    for number in range(3):
        make_user("owner", email=f"owner{number}@example.org")
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for _ in range(3):
            queue_staff_notices(timezone.now())
            deliver_due("email")
        connection.close()

    outage.updates.update(created_at=timezone.now() - timedelta(minutes=16))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sink.stat() == {"mails": 4, "readers": 4, "ids": 4}
    assert all_sent()


def test_a_failed_round_does_not_stop_the_next_one(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    made: list[str] = []

    def broken(_now: Any) -> None:
        raise ValueError("Out of stamps")

    monkeypatch.setattr(notices, "CHECKS", [broken, lambda _now: made.append("good")])
    queue_staff_notices(timezone.now())
    assert made == ["good"]
    assert "Out of stamps" in caplog.text


def test_the_dispatcher_queues_and_sends_them(staff_member: User, outage: Incident) -> None:
    outage.updates.update(created_at=timezone.now() - timedelta(minutes=20))
    Dispatcher().tick()
    deliver_due("email")
    assert len(mail.outbox) == 1


def test_a_message_beyond_ascii_reaches_a_server_without_8bitmime(staff_member: User, outage: Incident) -> None:
    Incident.objects.update(title="Störung")
    queue_notice(outage)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        message = ComposedMessage(message_to_person(Delivery.objects.get()))
    raw = message.template(eight_bit=False, dot_stuffed=True)
    assert not raw.is_eight_bit
    assert "Störung" in part(parsed(raw.fill(Delivery.objects.get())), "plain")
    assert message.template(eight_bit=True, dot_stuffed=True).is_eight_bit
