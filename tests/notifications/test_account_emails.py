"""Requested account emails: who receives one, how often, and that a failing email blocks no other."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models import Incident, Page
from statuspage.accounts.models import AccountEmailKind, AccountEmailRequest, User
from statuspage.notifications.account_email_requests import fan_out_account_requests
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery, DeliveryKind, StaffNotice, StaffNoticeKind
from statuspage.notifications.staff import overdue_updates
from statuspage.notifications.worker import deliver_due
from statuspage.subscribers.models.database_time import from_now
from tests.factories import make_incident, make_subscriber, make_user

# Sending records its results from another thread.
pytestmark = pytest.mark.django_db(transaction=True)

RESET = "/accounts/password/reset/"


@pytest.fixture
def staff_member(page: Page) -> User:
    return make_user("editor", email="erin@example.org", name="Erin")


def request_reset(address: str = "erin@example.org") -> AccountEmailRequest:
    return AccountEmailRequest.objects.create(kind=AccountEmailKind.PASSWORD_RESET, address=address)


def test_several_requests_for_one_account_send_one_email(staff_member: User) -> None:
    for address in ("erin@example.org", "ERIN@example.org", "nobody@example.org"):
        request_reset(address)
    fan_out_account_requests()
    assert Delivery.objects.get().person == staff_member
    assert not AccountEmailRequest.objects.exists()


def test_one_account_receives_few_emails_an_hour_from_however_many_networks(staff_member: User) -> None:
    for _ in range(6):
        request_reset()
        fan_out_account_requests()
    assert Delivery.objects.count() == 3


def test_a_request_whose_link_would_have_expired_is_discarded(staff_member: User) -> None:
    old = request_reset()
    AccountEmailRequest.objects.filter(pk=old.pk).update(created_at=from_now(-timedelta(hours=5)))
    fan_out_account_requests()
    assert not Delivery.objects.exists()
    assert not AccountEmailRequest.objects.exists()


def test_an_address_as_long_as_the_form_accepts_is_answered_like_any_other(page: Page) -> None:
    address = f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.example"
    assert 250 <= len(address) <= 254
    answers = [Client().post(RESET, {"email": email}) for email in (address, "nobody@example.org")]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]


def queue_notice(incident: Incident) -> Delivery:
    people = list(User.objects.to_remind())
    StaffNotice.objects.remind_after(incident.updates.get(), StaffNoticeKind.OVERDUE_UPDATE, people=people)
    return Delivery.objects.get(notice__isnull=False)


def test_a_notice_that_cannot_be_rendered_blocks_no_subscriber(
    page: Page, staff_member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_subscriber(page, "ada@example.org")
    incident = make_incident(page)
    notice = queue_notice(incident)

    def fail(*_: object) -> None:
        raise RuntimeError("The template is broken.")

    monkeypatch.setattr(overdue_updates, "email_of", fail)
    fan_out_waiting()
    deliver_due("email")
    assert [message.to for message in mail.outbox] == [["ada@example.org"]]
    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == ("queued", 1)
    assert "The template is broken." in notice.last_error


def test_a_notice_that_is_no_longer_true_is_canceled_and_not_counted_as_an_error(
    page: Page, staff_member: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queue_notice(make_incident(page))
    monkeypatch.setattr(overdue_updates, "email_of", lambda *_: None)
    deliver_due("email")
    assert mail.outbox == []
    assert not Delivery.objects.filter(notice__isnull=False).exists()
    assert not caplog.records or "could not be sent" not in caplog.text


def test_an_account_email_among_many_costs_no_query_for_each_subscriber(page: Page, staff_member: User) -> None:
    for number in range(20):
        make_subscriber(page, f"reader{number}@example.org")
    make_incident(page)
    request_reset()
    fan_out_waiting()
    claimed = Delivery.objects.claim("email", token="me", limit=50)
    assert {delivery.kind for delivery in claimed} == {DeliveryKind.EVENT, DeliveryKind.PASSWORD_RESET}
    with CaptureQueriesContext(connection) as queries:
        assert {delivery.subscriber.page.name for delivery in claimed if delivery.subscriber_id} == {"Acme"}
    assert len(queries) == 0


def test_a_delivery_to_nobody_is_refused_by_the_database() -> None:
    with pytest.raises(Exception, match="delivery_has_one_recipient"):
        Delivery.objects.create(kind=DeliveryKind.PASSWORD_RESET, channel="email", priority=0)
