from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.test import TestCase
from django.utils import timezone
from pytest_django import Settings

from incidents.actions.incidents.incident_lifecycle import restorable_components
from incidents.models import (
    AuditEntry,
    Component,
    Event,
    Incident,
    IncidentUpdate,
    Page,
    Postmortem,
    Revision,
    StatusInterval,
)
from incidents.models.states import ComponentStatus, Impact
from incidents.text import markdown
from incidents.visibility import Viewer
from statuspage.importers.demo.seeding import seed
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber, SubscriberState

NOW = timezone.now()


def word_count(text: str) -> int:
    return len(text.split())


class DemoPage(TestCase):
    """Seeded once for all tests, which only read."""

    page: Page

    @classmethod
    def setUpTestData(cls) -> None:
        cls.page = seed(None, seed=7, now=NOW, log=lambda _: None)[0]

    def test_the_page_has_the_promised_size(self) -> None:
        assert self.page.groups.count() == 3
        assert 13 <= self.page.components.count() <= 16
        assert self.page.components.filter(group=None).count() == 2
        assert self.page.components.filter(only_show_if_degraded=True).count() == 1
        assert 55 <= self.page.incidents.incidents().count() <= 65
        oldest, newest = self.page.incidents.earliest("started_at"), self.page.incidents.latest("started_at")
        assert timedelta(days=700) < newest.started_at - oldest.started_at < timedelta(days=732)

    def test_incidents_are_of_every_impact_and_length(self) -> None:
        impacts = Counter(self.page.incidents.values_list("impact", flat=True))
        assert set(impacts) == set(Impact.values)
        assert impacts[Impact.CRITICAL] >= 5
        lengths = Counter(incident.updates.count() for incident in self.page.incidents.all())
        assert {2, 3, 4, 5, 6, 7} <= set(lengths)
        assert self.page.events.filter(kind="incident.reopened").count() == 1
        assert IncidentUpdate.objects.filter(repeats_status=True).count() >= 10
        assert self.page.incidents.exclude(impact_override="").exists()

    def test_every_text_is_its_own(self) -> None:
        """But for the occurrences of a series, which share one."""
        single = IncidentUpdate.objects.filter(incident__series=None)
        bodies = list(single.values_list("body", flat=True))
        assert len(bodies) > 200
        assert [body for body, times in Counter(bodies).items() if times > 1] == []
        assert not [body for body in bodies if "{+" in body or "{-" in body or "{date" in body]
        titles = list(Incident.objects.filter(series=None).values_list("title", flat=True))
        assert len(titles) == len(set(titles))

    def test_texts_are_shown_as_the_domain_renders_them(self) -> None:
        for update in IncidentUpdate.objects.all():
            assert update.body_html == markdown.render(update.body)
        for postmortem in Postmortem.objects.all():
            assert postmortem.body_html == markdown.render(postmortem.body)

    def test_one_incident_is_open_for_forty_minutes_and_explains_all_that_is_red(self) -> None:
        (incident,) = self.page.incidents.unresolved()
        assert timedelta(minutes=35) < NOW - incident.started_at < timedelta(minutes=45)
        assert incident.updates.count() == 2
        troubled = set(self.page.components.not_operational())
        assert troubled == set(restorable_components(incident))
        assert {component.status for component in troubled} == {
            ComponentStatus.PARTIAL_OUTAGE,
            ComponentStatus.DEGRADED_PERFORMANCE,
        }
        assert self.page.components.visible_to(Viewer.PUBLIC).count() == self.page.components.count() - 1

    def test_the_last_fifteen_days_hold_a_few_incidents_and_a_postmortem(self) -> None:
        recent = self.page.incidents.incidents().ended().filter(started_at__gte=NOW - timedelta(days=14))
        assert recent.count() in (2, 3)
        assert recent.filter(postmortem__published_at__isnull=False).count() == 1

    def test_three_maintenances_took_place_on_time(self) -> None:
        past = self.page.incidents.maintenances().ended()
        assert past.count() == 3
        assert past.filter(began_at__gte=NOW - timedelta(days=14)).count() == 1
        for maintenance in past:
            assert (maintenance.began_at, maintenance.resolved_at) == maintenance.window
            named = set(maintenance.affected_components())
            rows = StatusInterval.objects.as_corrected().filter(update__incident=maintenance)
            assert {row.component for row in rows.filter(status="under_maintenance")} == named
            assert all(reminder.sent_at for reminder in maintenance.reminders.all())
        assert IncidentUpdate.objects.filter(status="verifying").count() == 1

    def test_one_maintenance_is_announced_for_in_three_days_and_a_series_for_its_next_three_sundays(self) -> None:
        (single,) = self.page.incidents.upcoming().filter(series=None)
        assert timedelta(days=2) < single.window[0] - NOW < timedelta(days=4)
        assert single.started_at < NOW
        (series,) = self.page.maintenance_series.all()
        occurrences = self.page.incidents.upcoming().filter(series=series).soonest_first()
        dates = [occurrence.occurrence_on for occurrence in occurrences]
        assert [date and date.weekday() for date in dates] == [6, 6, 6]
        assert occurrences[0].window[0] > single.window[0]

    def test_two_postmortems_tell_a_story_and_what_follows_from_it(self) -> None:
        postmortems = Postmortem.objects.order_by("published_at")
        assert len(postmortems) == 2
        for postmortem in postmortems:
            assert 400 <= word_count(postmortem.body) <= 700
            assert all(tag in postmortem.body_html for tag in ("<h3>", "<ol>", "<ul>", "<pre>", "<a "))
            items = list(postmortem.action_items.all())
            assert 3 <= len(items) <= 5
            assert all(item.owner and item.due_on for item in items)
            assert any(item.done_at for item in items)
        assert [item.done_at for item in postmortems[1].action_items.all()].count(None) == 3

    def test_nobody_is_told_of_the_past(self) -> None:
        assert not Event.objects.filter(notify=True).exists()
        assert fan_out_waiting() == 0
        assert not Delivery.objects.exists()

    def test_the_next_update_of_the_open_incident_offers_to_tell_as_the_last_one_did(self) -> None:
        assert not IncidentUpdate.objects.filter(notify=False).exists()

    def test_each_status_history_is_one_unbroken_line_to_the_present(self) -> None:
        for component in Component.objects.all():
            rows = list(component.intervals.as_corrected().order_by("started_at"))
            assert component.start_date == rows[0].started_at.date()
            assert all(
                earlier.ended_at == later.started_at and earlier.status != later.status
                for earlier, later in pairwise(rows)
            )
            assert rows[-1].ended_at is None
            assert rows[-1].status == component.status
            assert component.updated_at == rows[-1].started_at

    def test_trouble_ends_with_the_incident_that_brought_it(self) -> None:
        """No interval that is not green outlasts its incident, and nobody is red for longer than a few days."""
        for row in (
            StatusInterval.objects.as_corrected().exclude(status=ComponentStatus.OPERATIONAL).exclude(ended_at=None)
        ):
            assert row.update is not None
            assert row.ended_at is not None
            incident = row.update.incident
            assert incident.started_at <= row.started_at < row.ended_at
            assert incident.resolved_at is not None
            assert row.ended_at <= incident.resolved_at

    def test_what_was_known_at_any_time_can_be_told(self) -> None:
        """As reported then: of the rows recorded and not yet replaced at a moment, exactly one covers it."""
        for incident in self.page.incidents.all():
            at = incident.started_at + timedelta(seconds=1)
            for component in incident.affected_components():
                known = component.intervals.filter(recorded_at__lte=at).exclude(superseded_at__lte=at)
                assert known.filter(ended_at__isnull=True).count() == 1

    def test_everything_is_dated_when_it_happened(self) -> None:
        for update in IncidentUpdate.objects.select_related("incident"):
            assert update.created_at == update.display_at
            assert update.incident.created_at == update.incident.started_at
        edited = IncidentUpdate.objects.exclude(edited_at=None)
        assert {update.pk for update in edited} == set(Revision.objects.values_list("update", flat=True))
        assert all(update.edited_at == update.revisions.get().created_at for update in edited)
        written = self.page.audit_entries.order_by("pk").values_list("created_at", flat=True)
        assert max(written) <= NOW
        assert self.page.events.latest("created_at").created_at == max(written)

    def test_the_audit_log_names_things_by_the_ids_that_visitors_see(self) -> None:
        refs = set(AuditEntry.objects.filter(object_type="incident").values_list("object_ref", flat=True))
        assert refs == set(self.page.incidents.values_list("public_id", flat=True))
        assert {entry.actor_kind for entry in AuditEntry.objects.all()} == {"system"}

    def test_subscribers_have_addresses_where_no_mail_arrives(self) -> None:
        states = Counter(Subscriber.objects.values_list("state", flat=True))
        assert states[SubscriberState.ACTIVE] >= 18
        assert states[SubscriberState.PENDING] >= 2
        assert states[SubscriberState.UNSUBSCRIBED] == 1
        for subscriber in Subscriber.objects.all():
            assert subscriber.email.endswith(("example.com", "example.org", "example.net"))
            assert subscriber.created_at <= NOW
            assert (subscriber.confirmed_at is None) == (subscriber.state == SubscriberState.PENDING)
            assert subscriber.confirmed_at is None or subscriber.created_at < subscriber.confirmed_at <= NOW

    def test_the_page_itself_is_as_old_as_its_oldest_component(self) -> None:
        self.page.refresh_from_db()
        assert self.page.created_at < datetime.now(UTC) - timedelta(days=1400)
        assert self.page.updated_at <= NOW


@pytest.mark.django_db
def test_nobody_made_up_is_active_where_mail_really_leaves_the_house(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:2525"
    seed(None, seed=1, now=NOW, log=lambda _: None)
    assert not Subscriber.objects.filter(state=SubscriberState.ACTIVE).exists()
    paused = Subscriber.objects.filter(state=SubscriberState.PAUSED)
    assert paused.count() >= 18
    assert all("Demo address" in subscriber.paused_reason for subscriber in paused)
