"""Per update: who was told, what became of each, trying the failed again; and the count before publishing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import AuditEntry, Event, Incident, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber
from tests.console.staff import fields_of, form_to, parsed_page, signed_in
from tests.factories import (
    ALICE,
    make_component,
    make_endpoint,
    make_incident,
    make_subscriber,
    make_subscriber_with,
    post,
)
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db


@pytest.fixture
def notified_incident(page: Page) -> Incident:
    """An incident that four subscribers were told of: one sent, two failed, one still queued."""
    for name in ("ada", "bob", "cleo", "dan"):
        make_subscriber(page, f"{name}@example.com")
    incident = make_incident(page, title="API outage")
    fan_out_waiting()
    set_state("ada", state="sent", sent_at=timezone.now(), attempts=1)
    for name in ("bob", "cleo"):
        set_state(name, state="failed", last_error=f"450 {name}@example.com is busy", attempts=11)
    return incident


def set_state(name: str, **fields: Any) -> None:
    Delivery.objects.filter(subscriber__email=f"{name}@example.com").update(**fields)


def url_of(incident: Incident, action: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}/deliveries{action}"


def rows(document: Element) -> list[str]:
    return [row.text for row in document.one("tbody").all("tr")] if document.all("tbody") else []


def state_of(name: str) -> str:
    return Delivery.objects.get(subscriber__email=f"{name}@example.com").state


def test_the_table_lists_the_state_of_each_delivery(editor: Client, notified_incident: Incident) -> None:
    document = parsed_page(editor.get(url_of(notified_incident)))
    assert len(rows(document)) == 4
    (bob,) = [row for row in rows(document) if row.startswith("bob@")]
    assert "Failed 11" in bob
    assert "450 bob@example.com is busy" in bob
    assert "3 of 4 done" in document.text
    assert document.one("progress").attributes["value"] == "3"


def test_the_table_can_be_filtered_by_state(editor: Client, notified_incident: Incident) -> None:
    for state, count in (("failed", 2), ("sent", 1), ("queued", 1), ("cancelled", 0), ("nonsense", 4)):
        assert len(rows(parsed_page(editor.get(url_of(notified_incident), {"state": state})))) == count


def test_the_page_polls_until_all_deliveries_are_done(editor: Client, notified_incident: Incident) -> None:
    live = parsed_page(editor.get(url_of(notified_incident), {"state": "failed"})).one("div", id="deliveries")
    assert f"event={notified_incident.events.get().pk}&state=failed" in live.attributes["hx-get"]
    fragment = editor.get(url_of(notified_incident), headers={"hx-request": "true"}).content.decode()
    assert "<h1" not in fragment
    assert 'id="deliveries"' in fragment
    set_state("dan", state="sent", sent_at=timezone.now())
    over = parsed_page(editor.get(url_of(notified_incident))).one("div", id="deliveries")
    assert "hx-get" not in over.attributes


def test_each_event_has_its_own_table(editor: Client, notified_incident: Incident, page: Page) -> None:
    Delivery.objects.update(state="sent", sent_at=timezone.now())
    incident_actions.resolve(notified_incident, UpdateInput(body="Done.", notify=False), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(notified_incident, body="What we learned.", actor=ALICE)
    Subscriber.objects.filter(email="ada@example.com").update(tells_postmortems=False)
    fan_out_waiting()
    document = parsed_page(editor.get(url_of(notified_incident)))
    links = document.one("ul", class_="steps").all("a")
    assert [link.text.split()[0] for link in links] == ["Postmortem", "Investigating"]
    assert len(rows(document)) == 3
    assert len(rows(parsed_page(editor.get(url_of(notified_incident) + links[1].attributes["href"])))) == 4


def test_an_event_without_recipients_is_explained(editor: Client, page: Page) -> None:
    silent = make_incident(page, notify=False)
    assert "No update of this incident was published" in parsed_page(editor.get(url_of(silent))).text
    make_subscriber_with(page, components=(make_component(page),))
    unheard = make_incident(page)
    fan_out_waiting()
    assert "No matching subscribers" in parsed_page(editor.get(url_of(unheard))).text


def test_one_failed_delivery_is_retried(editor: Client, notified_incident: Incident) -> None:
    bob = Delivery.objects.get(subscriber__email="bob@example.com")
    event = notified_incident.events.get()
    answer = editor.post(url_of(notified_incident, "/retry"), {"event": event.pk, "delivery": bob.pk}, follow=True)
    assert "1 delivery queued for retry." in parsed_page(answer).text
    bob.refresh_from_db()
    assert (bob.state, bob.attempts) == ("queued", 0)
    assert bob in Delivery.objects.claimable("email")
    assert state_of("cleo") == "failed"
    entry = AuditEntry.objects.get(verb="deliveries.retried")
    assert entry.details == {"count": 1}


def test_all_failed_deliveries_of_an_update_are_retried(editor: Client, notified_incident: Incident) -> None:
    form = parsed_page(editor.get(url_of(notified_incident))).one("form", class_="cluster")
    assert form.one("button").text == "Retry all 2 failed deliveries"
    editor.post(form.attributes["action"], fields_of(form))
    assert [state_of(name) for name in ("ada", "bob", "cleo", "dan")] == ["sent", "queued", "queued", "queued"]


def test_retrying_skips_paused_subscribers_and_recipients_of_a_later_update(
    editor: Client, notified_incident: Incident, page: Page
) -> None:
    Subscriber.objects.get(email="bob@example.com").pause("550 no such mailbox")
    event = notified_incident.events.get()
    post(notified_incident)
    fan_out_waiting()
    Delivery.objects.filter(subscriber__email="cleo@example.com", state="queued").update(state="sent")
    answer = editor.post(url_of(notified_incident, "/retry"), {"event": event.pk}, follow=True)
    assert "2 skipped" in parsed_page(answer).text
    assert set(Delivery.objects.filter(event=event, state="failed").values_list("subscriber__email", flat=True)) == {
        "bob@example.com",
        "cleo@example.com",
    }
    assert not AuditEntry.objects.filter(verb="deliveries.retried").exists()


@pytest.mark.parametrize("odd", [{"event": "x"}, {"event": "9" * 30}, {}, {"event": "0"}])
def test_retrying_an_unknown_delivery_is_not_found(
    editor: Client, notified_incident: Incident, odd: dict[str, str]
) -> None:
    assert editor.post(url_of(notified_incident, "/retry"), odd).status_code == 404
    assert state_of("bob") == "failed"


def test_retrying_does_not_touch_deliveries_of_other_events(
    editor: Client, notified_incident: Incident, page: Page
) -> None:
    other = make_incident(page)
    bob = Delivery.objects.get(subscriber__email="bob@example.com")
    answer = editor.post(url_of(other, "/retry"), {"event": other.events.get().pk, "delivery": bob.pk}, follow=True)
    assert "No failed deliveries to retry" in parsed_page(answer).text
    assert editor.post(url_of(other, "/retry"), {"event": notified_incident.events.get().pk}).status_code == 404
    assert state_of("bob") == "failed"


def test_viewers_see_no_addresses_responses_or_buttons(notified_incident: Incident) -> None:
    viewer = signed_in("viewer")
    answer = viewer.get(url_of(notified_incident))
    assert "b•••@example.com" in parsed_page(answer).text
    assert "bob@" not in answer.content.decode()
    assert not parsed_page(answer).one("main").all("form")
    assert (
        viewer.post(url_of(notified_incident, "/retry"), {"event": notified_incident.events.get().pk}).status_code
        == 403
    )


def test_ten_thousand_deliveries_cost_no_more_queries_than_one(
    editor: Client, page: Page, django_assert_num_queries: Callable[[int], Any]
) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    fan_out_waiting()
    with django_assert_num_queries(12):
        editor.get(url_of(incident))
    Subscriber.objects.bulk_create(
        Subscriber(page=page, email=f"r{number}@example.com", state="active", confirmed_at=incident.created_at)
        for number in range(10_000)
    )
    Event.objects.update(fanned_out_at=None)
    fan_out_waiting()
    with django_assert_num_queries(12):
        document = parsed_page(editor.get(url_of(incident), {"page": "7"}))
    assert len(rows(document)) == 50
    assert "of 10001 done" in document.text


# The count before publishing


def counted(editor: Client, **fields: Any) -> str:
    answer = editor.post("/console/p/acme/audience", fields, headers={"hx-request": "true"})
    assert answer.status_code == 200
    return parsed_page(answer).text


def test_the_form_shows_the_upper_limit_and_loads_the_exact_number(editor: Client, page: Page) -> None:
    make_subscriber(page)
    asking = parsed_page(editor.get("/console/p/acme/incidents/new")).one("span", hx_post="/console/p/acme/audience")
    assert asking.text == "Notify up to 1 subscriber"
    assert "change" in asking.attributes["hx-trigger"]
    assert '"kind": "incident.opened"' in asking.attributes["hx-vals"]


def test_the_count_follows_the_chosen_components(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST"), make_component(page, "Website")
    make_subscriber_with(page, components=(rest,))
    make_subscriber_with(page, components=(website,))
    make_subscriber_with(page)
    opened = {"kind": "incident.opened", "incident": ""}
    assert counted(editor, **opened) == "Notify 1 subscriber"
    assert counted(editor, **opened, **{f"component_{rest.public_id}": "major_outage"}) == "Notify 2 subscribers"
    assert counted(editor, **opened, **{f"component_{rest.public_id}": ""}) == "Notify 1 subscriber"
    both = {f"component_{component.public_id}": "major_outage" for component in (rest, website)}
    assert counted(editor, **opened, **both) == "Notify 3 subscribers"


def test_the_count_of_an_update_includes_earlier_components_and_resolution_only_subscribers(
    editor: Client, page: Page
) -> None:
    rest = make_component(page, "REST")
    make_subscriber_with(page, components=(rest,), detail="milestones")
    make_subscriber_with(page, components=(rest,))
    incident = make_incident(page, components={rest: "major_outage"})
    about = {"incident": incident.public_id}
    assert counted(editor, kind="incident.updated", **about) == "Notify 1 subscriber"
    assert counted(editor, kind="incident.resolved", **about) == "Notify 2 subscribers"


def test_each_form_counts_the_recipients_of_its_own_event_kind(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    document = parsed_page(editor.get(f"/console/p/acme/incidents/{incident.public_id}"))
    values = [span.attributes["hx-vals"] for span in document.all("span", hx_post="/console/p/acme/audience")]
    assert [kind in value for value, kind in zip(values, ("incident.updated", "incident.resolved"), strict=True)] == [
        True,
        True,
    ]
    assert all(incident.public_id in value for value in values)
    assert form_to(document, f"/console/p/acme/incidents/{incident.public_id}/update")


def test_the_postmortem_form_shows_the_exact_number(editor: Client, page: Page) -> None:
    make_subscriber_with(page)
    make_subscriber_with(page, tells_postmortems=False)
    incident = make_incident(page)
    incident_actions.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    text = parsed_page(editor.get(f"/console/p/acme/incidents/{incident.public_id}/postmortem")).text
    assert "Notify 1 subscriber" in text


def test_invalid_requests_for_the_count_are_handled(editor: Client, page: Page) -> None:
    assert counted(editor) == "Notify 0 subscribers"
    assert counted(editor, kind="nonsense", component_x="y") == "Notify 0 subscribers"
    assert editor.post("/console/p/acme/audience", {"incident": "nosuchcode12"}).status_code == 404
    assert editor.get("/console/p/acme/audience").status_code == 405


def test_a_retry_forgets_attempts_that_were_never_answered(editor: Client, notified_incident: Incident) -> None:
    set_state("bob", in_doubt=1)
    editor.post(url_of(notified_incident, "/retry"), {"event": notified_incident.events.get().pk})
    bob = Delivery.objects.get(subscriber__email="bob@example.com")
    assert (bob.state, bob.in_doubt) == ("queued", 0)
    set_state("bob", state="failed", in_doubt=2)
    assert bob.replay()
    bob.refresh_from_db()
    assert (bob.state, bob.in_doubt) == ("queued", 0)


def test_recipients_of_a_later_update_are_skipped_even_while_it_is_retried(
    editor: Client, notified_incident: Incident
) -> None:
    event = notified_incident.events.get()
    post(notified_incident)
    fan_out_waiting()
    later = Delivery.objects.exclude(event=event).get(subscriber__email="bob@example.com")
    Delivery.objects.filter(pk=later.pk).update(state="sent", sent_at=timezone.now())
    assert later.replay()
    editor.post(url_of(notified_incident, "/retry"), {"event": event.pk})
    assert Delivery.objects.get(event=event, subscriber__email="bob@example.com").state == "failed"
    assert Delivery.objects.get(event=event, subscriber__email="cleo@example.com").state == "queued"


def test_the_audience_is_counted_by_channel_where_there_are_several(page: Page) -> None:
    for number in range(3):
        make_subscriber(page, f"reader{number}@example.com")
    make_endpoint(page, "https://hooks.example.com/in")
    answer = signed_in("editor").post("/console/p/acme/audience", {"kind": "incident.opened", "incident": ""})
    assert "Notify 4 subscribers: 3 Email, 1 Webhook" in answer.content.decode()
