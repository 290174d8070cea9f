"""Moving away from a Statuspage that only its visitors can read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from incidents.actions.components.component_lifecycle import edit_component
from incidents.actions.incidents.incident_lifecycle import edit_update
from incidents.models import AuditEntry, Component, Event, Incident, IncidentUpdate, Page, StatusInterval
from statuspage.notifications.models import Delivery
from tests.factories import ALICE, make_page, make_subscriber
from tests.importers.running import run_public
from tests.importers.statuspages import FakeStatuspage, affected, component, group, incident, outage, update

pytestmark = pytest.mark.django_db

API = "8l4ygp009s5s"
BEGAN = datetime(2024, 9, 12, 10, 1, 11, 209000, tzinfo=UTC)


def test_a_page_keeps_its_ids_names_order_and_groups(theirs: FakeStatuspage) -> None:
    theirs.components += [
        group("g1g1g1g1g1g1", "Core", ["br0l2tvcx85d"]) | {"position": 2},
        component("br0l2tvcx85d", "Actions", group="g1g1g1g1g1g1", description="Runs things", showcase=False),
    ]
    ran = run_public(theirs)
    assert ran.code == 0, ran
    page = Page.objects.get()
    assert (page.public_id, page.name, page.time_zone) == ("kctbh9vrtdwd", "Acme", "Etc/UTC")
    assert [(group.public_id, group.name, group.position) for group in page.groups.all()] == [
        ("g1g1g1g1g1g1", "Core", 2)
    ]
    actions = Component.objects.get(public_id="br0l2tvcx85d")
    assert (actions.full_name, actions.description, actions.showcase) == ("Core - Actions", "Runs things", False)
    assert str(actions.start_date) == "2017-01-31"


def test_an_incident_keeps_its_ids_times_texts_and_what_each_update_said(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN)]
    assert run_public(theirs).code == 0
    incident = Incident.objects.get()
    assert (incident.public_id, incident.title, incident.status) == ("hfdn5scd1jv1", "API outage", "resolved")
    assert (incident.impact, incident.started_at, incident.created_at) == ("major", BEGAN, BEGAN)
    assert incident.resolved_at == BEGAN + timedelta(hours=1)
    updates = list(incident.updates.oldest_first())
    assert [update.public_id[0] for update in updates] == ["c", "b", "a"]
    assert updates[0].body == "We are **looking**."
    assert updates[0].body_html == "<p>We are <strong>looking</strong>.</p>"
    assert [update.notify for update in updates] == [True] * 3
    changes = [(row.old_status, row.new_status) for update in updates for row in update.affected.all()]
    assert changes == [
        ("operational", "partial_outage"),
        ("partial_outage", "operational"),
        ("operational", "operational"),
    ]


def test_old_links_lead_to_the_same_incident(theirs: FakeStatuspage, client: Client) -> None:
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN)]
    assert run_public(theirs).code == 0
    shown = client.get("/incidents/hfdn5scd1jv1").content.decode()
    assert "API outage" in shown
    assert "We are <strong>looking</strong>." in shown
    assert "/incidents/hfdn5scd1jv1" in client.get("/history.atom").content.decode()


def test_nobody_is_told(theirs: FakeStatuspage) -> None:
    page = make_page(name="Ours")
    make_subscriber(page)
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN)]
    assert run_public(theirs, "--into", page.public_id).code == 0
    assert Incident.objects.get().page == page
    assert not Delivery.objects.exists()
    events = Event.objects.all()
    assert [(event.kind, event.notify) for event in events] == [("page.changed", False)]
    assert all(event.fanned_out_at for event in events)
    entry = AuditEntry.objects.get(verb="page.imported")
    assert entry.actor_label == f"Import from 127.0.0.1:{theirs.port}"
    assert entry.details["read"]["incidents"] == {"created": 1}


def test_uptime_is_rebuilt_from_what_the_updates_said(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN, hours=2), outage("w4q7mw9733n1", BEGAN - timedelta(days=2))]
    assert run_public(theirs).code == 0
    rows = StatusInterval.objects.as_corrected().order_by("started_at")
    began = datetime(2017, 1, 31, tzinfo=UTC)
    first = BEGAN - timedelta(days=2)
    assert [(interval.status, interval.started_at, interval.ended_at) for interval in rows] == [
        ("operational", began, first),
        ("partial_outage", first, first + timedelta(minutes=30)),
        ("operational", first + timedelta(minutes=30), BEGAN),
        ("partial_outage", BEGAN, BEGAN + timedelta(hours=1)),
        ("operational", BEGAN + timedelta(hours=1), None),
    ]
    # As it was reported then: not only known since today.
    then = StatusInterval.objects.as_reported(BEGAN + timedelta(minutes=5)).overlapping(BEGAN, BEGAN + timedelta(1))
    assert [interval.status for interval in then if interval.started_at == BEGAN] == ["partial_outage"]


def test_a_component_put_back_by_hand_is_well_again_when_its_incident_was_over(theirs: FakeStatuspage) -> None:
    end = "2024-09-12T11:30:40.094Z"
    left_red = incident(
        "hfdn5scd1jv1",
        "Nobody restored it",
        [
            update("a1", "hfdn5scd1jv1", "resolved", end, "Over."),
            update(
                "c1",
                "hfdn5scd1jv1",
                "investigating",
                "2024-09-12T10:00:00.000Z",
                "Red.",
                [affected(API, "API", "operational", "major_outage")],
            ),
        ],
    )
    theirs.incidents = [left_red]
    assert run_public(theirs).code == 0
    red = StatusInterval.objects.as_corrected().get(status="major_outage")
    assert red.ended_at == datetime.fromisoformat(end)
    assert Component.objects.get().status == "operational"


def test_a_second_run_changes_nothing_at_all(theirs: FakeStatuspage) -> None:
    theirs.components.append(component("br0l2tvcx85d", "Actions", status="degraded_performance"))
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN)]
    assert run_public(theirs).code == 0
    before = everything()
    ran = run_public(theirs)
    assert (ran.code, everything()) == (0, before)
    assert ran.row("incidents") == {"read": 1, "created": 0, "changed": 0, "unchanged": 1, "skipped": 0}


def everything() -> list[object]:
    models = (Page, Component, Incident, IncidentUpdate, StatusInterval, AuditEntry, Event)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def test_a_later_run_brings_what_is_new_and_what_was_edited_with_the_old_text_kept(theirs: FakeStatuspage) -> None:
    code = "hfdn5scd1jv1"
    first = update("c1", code, "investigating", "2024-09-12T10:00:00.000Z", "Looking.")
    theirs.incidents = [incident(code, "Slow", [first])]
    assert run_public(theirs).code == 0
    edited = first | {"body": "Looking hard.", "updated_at": "2024-09-12T10:10:00.000Z"}
    changes = [affected(API, "API", "operational", "degraded_performance")]
    more = update("b1", code, "identified", "2024-09-12T10:20:00.000Z", "Found it.", changes)
    theirs.incidents = [incident(code, "Slow API", [more, edited])]
    theirs.components = [component(API, "API", status="degraded_performance")]
    ran = run_public(theirs)
    assert (ran.code, ran.row("incidents")["changed"]) == (0, 1)
    imported = Incident.objects.get()
    assert (imported.title, imported.status, imported.updates.count()) == ("Slow API", "identified", 2)
    oldest = imported.updates.oldest_first()[0]
    assert (oldest.body, oldest.edited_at) == ("Looking hard.", datetime(2024, 9, 12, 10, 10, tzinfo=UTC))
    assert [revision.body for revision in oldest.revisions.all()] == ["Looking."]
    assert Component.objects.get().status == "degraded_performance"
    last = StatusInterval.objects.as_corrected().get(ended_at=None)
    assert (last.status, last.started_at) == ("degraded_performance", datetime(2024, 9, 12, 10, 20, tzinfo=UTC))


def test_what_lies_beyond_the_fifty_newest_is_found_in_the_history(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage(f"a{number:02}n5scd1jv1", BEGAN - timedelta(days=9 * number)) for number in range(60)]
    ran = run_public(theirs)
    assert (ran.code, ran.row("incidents")["created"], Incident.objects.count()) == (0, 60, 60)
    count_before = len(theirs.requests)
    ran = run_public(theirs)
    assert ran.row("incidents") == {"read": 60, "created": 0, "changed": 0, "unchanged": 60, "skipped": 0}
    # What is over and here is not asked for again.
    assert len(theirs.requests) - count_before == count_before - 10


def test_a_maintenance_is_one_with_its_window_and_steps_and_does_not_move_by_itself(theirs: FakeStatuspage) -> None:
    code = "chkt3cr0jf7b"
    updates = [update("m1", code, "scheduled", "2024-09-14T04:57:15.693Z", "We will upgrade.")]
    window = {"scheduled_for": "2024-09-17T01:00:00.000Z", "scheduled_until": "2024-09-17T02:00:00.000Z"}
    named = {"components": [component(API, "API")], "impact": "maintenance"}
    theirs.incidents = [incident(code, "DB upgrade", updates, **window, **named)]
    assert run_public(theirs).code == 0
    imported = Incident.objects.get()
    assert (imported.kind, imported.status, imported.impact) == ("maintenance", "scheduled", "maintenance")
    assert imported.window == (datetime(2024, 9, 17, 1, tzinfo=UTC), datetime(2024, 9, 17, 2, tzinfo=UTC))
    assert (imported.auto_start, imported.auto_complete) == (False, False)
    assert [component.name for component in imported.affected_components()] == ["API"]
    steps = [
        update("m3", code, "completed", "2024-09-17T01:50:00.000Z", "Done."),
        update("m2", code, "in_progress", "2024-09-17T01:00:00.792Z", "Going on."),
    ]
    theirs.incidents = [incident(code, "DB upgrade", [*steps, *updates], **window, **named)]
    assert run_public(theirs).code == 0
    imported.refresh_from_db()
    assert (imported.status, imported.cancelled_at) == ("completed", None)
    assert imported.began_at == datetime(2024, 9, 17, 1, 0, 0, 792000, tzinfo=UTC)


def test_a_postmortem_among_the_updates_becomes_the_postmortem(theirs: FakeStatuspage) -> None:
    document = outage("hfdn5scd1jv1", BEGAN)
    document["incident_updates"].insert(
        0, update("p1", "hfdn5scd1jv1", "postmortem", "2024-09-14T09:00:00.000Z", "## What happened\n\nRedis moved.")
    )
    theirs.incidents = [document | {"status": "postmortem"}]
    assert run_public(theirs).code == 0
    incident = Incident.objects.get()
    assert (incident.status, incident.updates.count()) == ("resolved", 3)
    assert incident.postmortem.body == "## What happened\n\nRedis moved."
    assert incident.postmortem.published_at == datetime(2024, 9, 14, 9, tzinfo=UTC)
    before = everything()
    assert run_public(theirs).code == 0
    assert everything() == before


def test_a_component_that_was_deleted_there_is_kept_as_an_archived_one(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN, api="zvdm6f7gf76j")]
    assert run_public(theirs).code == 0
    former = Component.objects.get(public_id="zvdm6f7gf76j")
    assert former.archived_at is not None
    assert [component.name for component in Component.objects.active()] == ["API"]
    assert Incident.objects.get().affected_components() == [former]


def test_a_dry_run_reads_all_and_writes_nothing(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN)]
    ran = run_public(theirs, "--dry-run")
    assert ran.row("incidents")["created"] == 1
    assert "nothing was written" in ran.output
    assert not Page.objects.exists()
    assert not Event.objects.exists()


def test_what_staff_wrote_here_since_is_not_overwritten(theirs: FakeStatuspage) -> None:
    theirs.incidents = [outage("hfdn5scd1jv1", BEGAN)]
    assert run_public(theirs).code == 0
    edit_component(Component.objects.get(), name="The API", actor=ALICE)
    edit_update(IncidentUpdate.objects.oldest_first()[0], body="Better said.", actor=ALICE)
    assert run_public(theirs).code == 0
    assert Component.objects.get().name == "The API"
    assert IncidentUpdate.objects.oldest_first()[0].body == "Better said."


def test_simple_html_becomes_markdown(theirs: FakeStatuspage) -> None:
    document = outage("hfdn5scd1jv1", BEGAN)
    document["incident_updates"][0]["body"] = 'All is <b>well</b>.<br />See <a href="https://acme.example/x">this</a>.'
    theirs.incidents = [document]
    assert run_public(theirs).code == 0
    newest = IncidentUpdate.objects.newest_first()[0]
    assert newest.body == "All is **well**.\nSee [this](https://acme.example/x)."
    assert '<a href="https://acme.example/x"' in newest.body_html
