"""What is hidden appears nowhere. Each secret carries a word of its own that no page may contain."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions.components import component_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import Component, Incident
from tests.factories import ALICE, make_component, make_group, make_incident, make_page, make_resolved
from tests.public.parsed_page import get, read

pytestmark = pytest.mark.django_db

LISTS = (
    *("/", "/history", "/history.atom", "/history.rss", "/uptime", "/history.json", "/feed.json", "/uptime.json"),
    *("/api/v2/summary.json", "/api/v2/incidents.json", "/badge.svg", "/embed/frame"),
)
YESTERDAY = timedelta(days=1)


def hide(incident: Incident) -> None:
    incident.hidden_at = timezone.now()
    incident.save(update_fields=["hidden_at"])


def assert_nowhere(word: str, *more: str) -> None:
    for path in (*LISTS, *more):
        assert word not in get(path).content.decode(), path


def test_a_hidden_open_incident_appears_nowhere() -> None:
    page = make_page()
    incident = make_incident(page, title="canary-title", body="canary-body")
    hide(incident)
    assert_nowhere("canary", f"/incidents/{incident.public_id}")
    assert get(f"/incidents/{incident.public_id}").status_code == 404
    assert read("/").one("h1").text == "All Systems Operational"


def test_a_hidden_past_incident_appears_nowhere() -> None:
    now = timezone.now()
    incident = make_resolved(make_page(), title="canary-title", at=now - YESTERDAY, until=now - YESTERDAY / 2)
    assert "canary" in get("/").content.decode()
    hide(incident)
    assert_nowhere("canary", f"/incidents/{incident.public_id}")


def test_an_incident_of_another_page_is_not_found_here() -> None:
    make_page()
    other = make_page(name="Other", domain="status.other.example")
    incident = make_incident(other, title="canary-title")
    assert_nowhere("canary", f"/incidents/{incident.public_id}")


def test_a_draft_of_a_postmortem_appears_nowhere() -> None:
    incident = make_resolved(make_page())
    items = [ActionItemDraft(text="canary-item")]
    postmortem_lifecycle.save_draft(incident, body="canary-draft", actor=ALICE, action_items=items)
    assert_nowhere("canary", f"/incidents/{incident.public_id}")


def test_a_retracted_postmortem_appears_nowhere() -> None:
    incident = make_resolved(make_page())
    items = [ActionItemDraft(text="canary-item")]
    postmortem = postmortem_lifecycle.publish(incident, body="canary-text", actor=ALICE, action_items=items)
    path = f"/incidents/{incident.public_id}"
    assert "canary-item" in get(path).content.decode()
    postmortem_lifecycle.retract(postmortem, actor=ALICE)
    assert_nowhere("canary", path)


def test_the_unpublished_changes_of_a_published_postmortem_appear_nowhere() -> None:
    incident = make_resolved(make_page())
    postmortem_lifecycle.publish(incident, body="The published text.", actor=ALICE)
    postmortem_lifecycle.save_draft(incident, body="canary-draft", actor=ALICE)
    assert_nowhere("canary", f"/incidents/{incident.public_id}")


def test_an_archived_component_is_not_listed_and_does_not_decide_the_headline() -> None:
    page = make_page()
    make_component(page, "Website")
    archived = make_component(page, "canary-component", status="major_outage")
    component_lifecycle.set_archived(archived, archived=True, actor=ALICE)
    assert_nowhere("canary")
    assert read("/").one("h1").text == "All Systems Operational"


def test_a_component_for_bad_times_only_is_listed_only_then() -> None:
    page = make_page()
    make_component(page, "Website", status="major_outage")
    quiet = make_component(page, "canary-component", only_show_if_degraded=True)
    assert_nowhere("canary")
    # Counted in, the quiet one would make this "Partial System Outage".
    assert read("/").one("h1").text == "Major System Outage"
    component_lifecycle.set_status(quiet, "degraded_performance", actor=ALICE)
    assert "canary-component Degraded Performance" in read("/").one("section", class_="components").text


def test_a_group_whose_members_are_all_hidden_is_not_shown() -> None:
    page = make_page()
    group = make_group(page, "canary-group")
    make_component(page, "Quiet", group=group, only_show_if_degraded=True)
    archived = make_component(page, "Gone", group=group)
    component_lifecycle.set_archived(archived, archived=True, actor=ALICE)
    assert_nowhere("canary")


def test_a_hidden_member_does_not_decide_its_groups_status() -> None:
    page = make_page()
    group = make_group(page)
    make_component(page, "Shown", group=group)
    archived = make_component(page, "Gone", group=group, status="major_outage")
    Component.objects.filter(pk=archived.pk).update(archived_at=timezone.now())
    assert "Operational" in read("/").one("summary").text


def test_the_audit_note_of_a_component_appears_nowhere() -> None:
    component = make_component(make_page())
    component_lifecycle.set_status(component, "partial_outage", actor=ALICE, note="canary-note")
    assert_nowhere("canary")
