"""Two people at one maintenance, or one who presses twice: nothing is lost and nothing happens twice."""

from datetime import timedelta

import pytest
from django.test import Client

from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.models import AuditEntry, Incident
from tests.console.maintenances.one_maintenance import END, START, step_url, url_of
from tests.console.staff import fields_of, fill_in, form_to, parsed_page
from tests.factories import (
    BOB,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.mark.parametrize("step", ["start", "reschedule", "options", "cancel"])
def test_a_conflict_is_explained_and_the_text_is_kept(editor: Client, maintenance: Incident, step: str) -> None:
    typed = {"reschedule": {"scheduled_until": "3 h"}, "options": {"more_reminders": "45"}}.get(step, {"body": "Mine."})
    path = step_url(maintenance, step)
    sent = fill_in(editor, url_of(maintenance), path, **{f"{step}-{name}": value for name, value in typed.items()})
    actions.reschedule(
        maintenance,
        UpdateInput(body="Theirs."),
        scheduled_for=START + timedelta(days=1),
        scheduled_until=END + timedelta(days=1),
        actor=BOB,
    )
    answer = editor.post(path, sent)
    assert answer.status_code == 422
    document = parsed_page(answer)
    assert "Someone else changed this incident while you were writing." in document.text
    assert "Theirs." in document.one("section", class_="conflict").text
    held = fields_of(form_to(document, path))
    assert all(held[f"{step}-{name}"] == [value] for name, value in typed.items())
    assert AuditEntry.objects.filter(actor_label="Erin").count() == 0
    assert editor.post(path, held).status_code == 302


@pytest.mark.parametrize("step", ["start", "reschedule", "cancel"])
def test_a_double_click_is_one_step(editor: Client, maintenance: Incident, step: str) -> None:
    typed = {"reschedule-scheduled_until": "3 h"} if step == "reschedule" else {}
    sent = fill_in(editor, url_of(maintenance), step_url(maintenance, step), **typed)
    answers = [editor.post(step_url(maintenance, step), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert maintenance.updates.count() == 2


def test_starting_a_canceled_maintenance_is_a_conflict(editor: Client, maintenance: Incident) -> None:
    sent = fill_in(editor, url_of(maintenance), step_url(maintenance, "start"), **{"start-body": "Mine."})
    actions.cancel(maintenance, actor=BOB)
    answer = editor.post(step_url(maintenance, "start"), sent)
    assert answer.status_code == 422
    held = fields_of(form_to(parsed_page(answer), step_url(maintenance, "start")))
    assert held["start-body"] == ["Mine."]
    assert editor.post(step_url(maintenance, "start"), held).status_code == 422
    maintenance.refresh_from_db()
    assert maintenance.began_at is None


def test_an_update_to_a_maintenance_that_has_ended_keeps_its_text(editor: Client, running: Incident) -> None:
    action = f"{url_of(running)}/update"
    sent = fill_in(editor, url_of(running), action, body="Half of it is done.")
    actions.complete(running, actor=BOB)
    answer = editor.post(action, sent)
    assert answer.status_code == 422
    assert "Half of it is done." in parsed_page(answer).text
