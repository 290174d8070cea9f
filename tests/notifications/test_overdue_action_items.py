"""The weekly mail to the owners of overdue action items: who gets it, what it says, and that there is one a week."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection

from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import ActionItem, Incident, Page
from statuspage.accounts.models import User
from statuspage.notifications.models import Delivery, StaffNotice
from statuspage.notifications.staff.overdue_action_items import queue_due
from statuspage.notifications.worker import deliver_due
from tests.factories import ALICE, make_resolved, make_user

# Sending records its results from another thread.
pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = datetime(2030, 1, 7, 8, 0, tzinfo=UTC)
LATE = date(2030, 1, 4)


@pytest.fixture
def staff_member(page: Page) -> User:
    return make_user("editor", email="erin@example.org", name="Erin")


def promise(page: Page, *items: ActionItemDraft) -> Incident:
    incident = make_resolved(page)
    postmortem_lifecycle.save_draft(incident, body="Why.", actor=ALICE, action_items=items)
    return incident


def send_due(now: datetime) -> None:
    with time_machine.travel(now):
        queue_due(now)
        deliver_due("email")


def bodies() -> list[str]:
    return [str(message.body) for message in mail.outbox]


def test_an_owner_is_told_by_name_or_address_of_what_is_overdue(page: Page, staff_member: User) -> None:
    promise(
        page,
        ActionItemDraft("Raise an alarm", owner=" erin ", due_on=LATE),
        ActionItemDraft("Upgrade", owner="ERIN@example.org", due_on=LATE),
        ActionItemDraft("Not yet", owner="Erin", due_on=MONDAY.date()),
        ActionItemDraft("Done", owner="Erin", due_on=LATE, done=True),
        ActionItemDraft("Somebody else's", owner="Erin Jr.", due_on=LATE),
    )
    send_due(MONDAY)
    (message,) = mail.outbox
    assert message.to == ["erin@example.org"]
    assert message.subject.endswith("2 action items are overdue")
    assert "Raise an alarm" in message.body
    assert "Upgrade" in message.body
    for other in ("Not yet", "Done", "Somebody else"):
        assert other not in message.body
    assert "/postmortem" in message.body


def test_once_a_week_and_again_in_the_next(page: Page, staff_member: User) -> None:
    promise(page, ActionItemDraft("Upgrade", owner="Erin", due_on=LATE))
    for hours in (0, 1, 24, 6 * 24):
        send_due(MONDAY + timedelta(hours=hours))
    assert len(mail.outbox) == 1
    send_due(MONDAY + timedelta(days=7))
    assert len(mail.outbox) == 2


def test_not_before_eight_on_the_pages_clock(page: Page, staff_member: User) -> None:
    Page.objects.update(time_zone="America/New_York")
    promise(page, ActionItemDraft("Upgrade", owner="Erin", due_on=LATE))
    send_due(MONDAY)
    assert not mail.outbox
    send_due(MONDAY + timedelta(hours=5))
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("change", [{"wants_overdue": False}, {"is_active": False}])
def test_who_does_not_want_it_or_has_left_gets_none(page: Page, staff_member: User, change: dict[str, bool]) -> None:
    promise(page, ActionItemDraft("Upgrade", owner="Erin", due_on=LATE))
    User.objects.filter(pk=staff_member.pk).update(**change)
    send_due(MONDAY)
    assert not mail.outbox
    assert not StaffNotice.objects.exists()


def test_what_was_done_before_the_mail_left_is_not_told(page: Page, staff_member: User) -> None:
    promise(page, ActionItemDraft("Upgrade", owner="Erin", due_on=LATE))
    StaffNotice.objects.remind_owner(page, staff_member, week="2030-W02")
    ActionItem.objects.update(done_at=MONDAY)
    send_due(MONDAY)
    assert not mail.outbox
    assert not StaffNotice.objects.exists()


def test_each_owner_gets_only_their_own(page: Page, staff_member: User) -> None:
    make_user("viewer", email="ben@example.org", name="Ben")
    items = [ActionItemDraft(f"{name}'s work", owner=name, due_on=LATE) for name in ("Ben", "Erin")]
    promise(page, *items)
    send_due(MONDAY)
    assert [message.to for message in mail.outbox] == [["erin@example.org"], ["ben@example.org"]]
    assert "Ben's work" not in bodies()[0]
    assert "Erin's work" not in bodies()[1]


def test_two_dispatchers_at_once_send_one(page: Page, staff_member: User) -> None:
    promise(page, ActionItemDraft("Upgrade", owner="Erin", due_on=LATE))
    start = threading.Barrier(2)

    def go() -> None:
        start.wait(10)
        queue_due(MONDAY)
        deliver_due("email")
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(2)]
    with time_machine.travel(MONDAY):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(mail.outbox) == 1
    assert Delivery.objects.get().state == "sent"
