"""What the console reminds staff of, and where they say when."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.models import AuditEntry, Component, Incident, IncidentUpdate, Page
from incidents.reminders.overdue_updates import Reminders
from statuspage.accounts.models import User
from tests.console.staff import fill_in, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import ALICE, make_component, make_incident

pytestmark = pytest.mark.django_db

SET = "/console/p/acme/rules/reminders"


@pytest.fixture
def api(page: Page) -> Component:
    return make_component(page, "API")


@pytest.fixture
def owner(page: Page) -> Client:
    return signed_in("owner")


def silent(page: Page, api: Component, minutes: int = 47) -> Incident:
    incident = make_incident(page, title="API outage", components={api: "major_outage"})
    IncidentUpdate.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))
    return incident


def left_red(page: Page, *components: Component) -> Incident:
    incident = make_incident(page, title="API outage", components=dict.fromkeys(components, "major_outage"))
    actions.resolve(incident, UpdateInput(body="It works again."), restore=None, actor=ALICE)
    return incident


def lines(client: Client, path: str) -> list[str]:
    return [line.text for line in parsed_page(client.get(path)).all("p", class_="reminder")]


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


# Silence


def test_the_dashboard_and_the_incident_show_an_overdue_update(editor: Client, page: Page, api: Component) -> None:
    incident = silent(page, api)
    for path in ("/console/p/acme/", f"/console/p/acme/incidents/{incident.public_id}"):
        assert lines(editor, path) == ["No update for 47 minutes. Post update"]
        document = parsed_page(editor.get(path))
        (line,) = document.all("p", class_="reminder")
        target = line.one("a").attributes["href"].removeprefix("#")
        assert target in [element.attributes.get("id") for element in document.walk()]


def test_a_viewer_sees_the_reminder_without_a_link(page: Page, api: Component) -> None:
    silent(page, api)
    assert lines(signed_in("viewer"), "/console/p/acme/") == ["No update for 47 minutes."]


def test_no_reminder_is_shown_when_not_overdue_or_turned_off(editor: Client, page: Page, api: Component) -> None:
    silent(page, api, minutes=14)
    assert lines(editor, "/console/p/acme/") == []
    IncidentUpdate.objects.update(created_at=timezone.now() - timedelta(minutes=47))
    Page.objects.update(staff_reminders=Reminders(critical=0).as_json())
    assert lines(editor, "/console/p/acme/") == []
    Page.objects.update(staff_reminders=Reminders(by_mail=False).as_json())
    assert len(lines(editor, "/console/p/acme/")) == 1


def test_an_overdue_update_takes_no_query(editor: Client, page: Page, api: Component) -> None:
    incident = silent(page, api, minutes=0)
    paths = ("/console/p/acme/", f"/console/p/acme/incidents/{incident.public_id}")
    before = [queries(editor, path) for path in paths]
    IncidentUpdate.objects.update(created_at=timezone.now() - timedelta(minutes=47))
    assert [queries(editor, path) for path in paths] == before


# Red after the resolve


def test_the_dashboard_and_the_incident_list_unrestored_components(editor: Client, page: Page, api: Component) -> None:
    incident = left_red(page, api, make_component(page, "Web"))
    assert lines(editor, "/console/p/acme/") == [
        "Still not operational after API outage was resolved: API, Web. Change status"
    ]
    path = f"/console/p/acme/incidents/{incident.public_id}"
    assert lines(editor, path) == ["Still not operational after the incident was resolved: API, Web. Change status"]
    assert parsed_page(editor.get(path)).all("a", href="/console/p/acme/#components-title")
    assert parsed_page(editor.get("/console/p/acme/")).one("h2", id="components-title")


def test_restoring_the_components_removes_the_reminder(editor: Client, page: Page, api: Component) -> None:
    left_red(page, api)
    target = f"/console/p/acme/components/{api.public_id}/status"
    editor.post(target, fill_in(editor, "/console/p/acme/", target, status="operational"))
    assert lines(editor, "/console/p/acme/") == []


def test_unrestored_components_take_one_query(editor: Client, page: Page, api: Component) -> None:
    incident = make_incident(page, components={api: "operational"})
    Component.objects.update(status="operational")
    actions.resolve(incident, UpdateInput(body="It works again."), restore=None, actor=ALICE)
    before = queries(editor, "/console/p/acme/")
    Component.objects.update(status="major_outage")
    assert queries(editor, "/console/p/acme/") == before + 1


# Setting it


def test_an_owner_sets_when_staff_are_reminded(owner: Client, page: Page) -> None:
    sent = fill_in(owner, "/console/p/acme/rules", SET, **{"remind-critical": "10", "remind-none": "240"})
    answer = owner.post(SET, {**sent, "remind-by_mail": []}, follow=True)
    assert "Reminders saved." in parsed_page(answer).text
    page.refresh_from_db()
    saved = Reminders.read(page.staff_reminders)
    assert saved == Reminders(critical=10, none=240, by_mail=False)
    entry = AuditEntry.objects.get()
    assert entry.verb == "page.changed"
    assert entry.details["before"] == {"remind_critical": 15, "remind_none": 0, "remind_by_mail": True}
    assert fill_in(owner, "/console/p/acme/rules", SET)["remind-critical"] == ["10"]


def test_saving_it_as_it_is_is_no_change(owner: Client, page: Page) -> None:
    owner.post(SET, fill_in(owner, "/console/p/acme/rules", SET))
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("typed", ["", "-1", "1441", "soon", "1.5"])
def test_minutes_that_cannot_be_are_refused_beside_their_field(owner: Client, page: Page, typed: str) -> None:
    answer = owner.post(SET, fill_in(owner, "/console/p/acme/rules", SET, **{"remind-major": typed}))
    assert answer.status_code == 422
    (control,) = invalid_controls(parsed_page(answer))
    assert control.attributes["name"] == "remind-major"
    page.refresh_from_db()
    assert page.staff_reminders == {}
    assert form_to(parsed_page(answer), "/console/p/acme/rules")


def test_the_rules_for_texts_are_saved_beside_it(owner: Client, page: Page) -> None:
    owner.post(
        "/console/p/acme/rules", fill_in(owner, "/console/p/acme/rules", "/console/p/acme/rules", undo_seconds="30")
    )
    page.refresh_from_db()
    assert (page.undo_seconds, page.staff_reminders) == (30, {})


# One's own mails


def account(role: str) -> tuple[Client, User]:
    client = signed_in(role)
    return client, User.objects.latest("pk")


@pytest.mark.parametrize("role", ["editor", "owner"])
def test_everybody_decides_for_themselves_whether_they_are_mailed(page: Page, role: str) -> None:
    client, user = account(role)
    assert user in User.objects.to_remind()
    for typed, wanted in ((None, False), ("on", True)):
        answer = client.post(
            "/console/p/acme/account", fill_in(client, "/console/p/acme/account", wants_reminders=typed)
        )
        assert answer["Location"] == "/console/p/acme/account"
        assert (user in User.objects.to_remind()) is wanted
    details: list[Any] = [entry.details for entry in AuditEntry.objects.filter(verb="person.mails").order_by("pk")]
    assert details == [{"wants_reminders": wanted, "wants_overdue": True} for wanted in (False, True)]


def test_a_viewer_decides_only_about_overdue_action_items(page: Page) -> None:
    client, user = account("viewer")
    form = fill_in(client, "/console/p/acme/account", wants_overdue=None)
    assert "wants_reminders" not in form
    assert user in User.objects.to_notify_of_overdue_items()
    client.post("/console/p/acme/account", form)
    user.refresh_from_db()
    assert (user.wants_overdue, user.wants_reminders) == (False, True)
    assert user not in User.objects.to_remind()


def test_the_name_in_the_bar_leads_to_ones_account_and_from_there_to_the_password(editor: Client) -> None:
    (link,) = parsed_page(editor.get("/console/p/acme/")).all("a", href="/console/p/acme/account")
    assert parsed_page(editor.get(link.attributes["href"])).all("a", href="/accounts/password/change/")
