from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from incidents.models import AuditEntry, Incident, IncidentUpdate, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from tests.console.staff import fields_of, fill_in, form_to, parsed_page
from tests.factories import make_incident, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def update(page: Page) -> IncidentUpdate:
    return make_incident(page, body="We are loking.", notify=False).updates.get()


def url_of(update: IncidentUpdate) -> str:
    return f"/console/p/acme/updates/{update.public_id}/edit"


def edit(client: Client, update: IncidentUpdate, body: str, **more: Any) -> Any:
    return client.post(url_of(update), fill_in(client, url_of(update), body=body, **more))


def test_an_edit_changes_the_text_and_keeps_a_revision(editor: Client, update: IncidentUpdate) -> None:
    answer = edit(editor, update, "We are looking.")
    assert (answer.status_code, answer["Location"]) == (302, f"/console/p/acme/incidents/{update.incident.public_id}")
    update.refresh_from_db()
    assert (update.body, update.body_html) == ("We are looking.", "<p>We are looking.</p>")
    assert "edited" in parsed_page(editor.get(answer["Location"])).one("ol", class_="timeline").text
    earlier = parsed_page(editor.get(url_of(update))).one("article", class_="card")
    assert (earlier.one("del").text, earlier.one("ins").text) == ("loking.", "looking.")
    assert "by Erin" in earlier.text


def test_the_form_shows_the_markdown_source(editor: Client, page: Page) -> None:
    text = 'First **line**\n\n\n    code  \n<b> & "quotes"'
    written = make_incident(page, body=text).updates.get()
    assert fields_of(form_to(parsed_page(editor.get(url_of(written)))))["body"] == [text]
    edit(editor, written, text)
    assert not written.revisions.exists()


def test_saving_without_changes_records_nothing(editor: Client, update: IncidentUpdate) -> None:
    entries = AuditEntry.objects.count()
    assert edit(editor, update, "We are loking.").status_code == 302
    assert AuditEntry.objects.count() == entries
    assert not update.revisions.exists()


def test_a_double_click_saves_once_and_is_no_conflict_with_oneself(editor: Client, update: IncidentUpdate) -> None:
    sent = fill_in(editor, url_of(update), body="We are looking.\r\nAnd looking.")
    answers = [editor.post(url_of(update), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert update.revisions.count() == 1


def test_an_edit_does_not_notify_subscribers(editor: Client, page: Page, update: IncidentUpdate) -> None:
    make_subscriber(page)
    assert "Subscribers are not notified of an edit." in parsed_page(editor.get(url_of(update))).text
    edit(editor, update, "We are looking.")
    fan_out_waiting()
    assert not Delivery.objects.exists()
    assert mail.outbox == []


def test_the_preview_button_shows_the_new_text_and_saves_nothing(editor: Client, update: IncidentUpdate) -> None:
    answer = edit(editor, update, "**Bold**", preview="1")
    assert answer.status_code == 200
    assert parsed_page(answer).one("strong").text == "Bold"
    assert fields_of(form_to(parsed_page(answer)))["body"] == ["**Bold**"]
    update.refresh_from_db()
    assert update.body == "We are loking."


def test_a_rejected_text_is_not_saved(editor: Client, update: IncidentUpdate) -> None:
    answer = edit(editor, update, "")
    assert answer.status_code == 422
    assert "Nothing was saved." in parsed_page(answer).text


def test_an_unknown_update_is_not_found(editor: Client, page: Page) -> None:
    assert editor.get("/console/p/acme/updates/nosuchcode12/edit").status_code == 404
    assert not Incident.objects.exists()


def test_the_time_is_corrected_together_with_the_text(editor: Client, update: IncidentUpdate) -> None:
    earlier = (update.display_at - timedelta(hours=2)).replace(microsecond=0)
    answer = edit(editor, update, "We were looking.", at=earlier.isoformat())
    assert answer.status_code == 302
    update.refresh_from_db()
    assert (update.body, update.display_at, update.version) == ("We were looking.", earlier, 3)
    assert update.incident.started_at == earlier


def test_an_unchanged_time_is_not_corrected(editor: Client, update: IncidentUpdate) -> None:
    edit(editor, update, "We are looking.")
    display_at = update.display_at
    update.refresh_from_db()
    assert update.display_at == display_at
    assert update.revisions.count() == 1


def test_a_time_that_cannot_be_is_refused_and_neither_text_nor_time_is_saved(
    editor: Client, update: IncidentUpdate
) -> None:
    answer = edit(editor, update, "Other words.", at="2190-01-01 10:00")
    assert answer.status_code == 422
    form = parsed_page(answer).one("form", class_="form")
    assert "is in the future" in form.text
    assert fields_of(form)["at"] == ["2190-01-01 10:00"]
    update.refresh_from_db()
    assert (update.body, update.version) == ("We are loking.", 1)


def test_an_invalid_text_reverts_the_corrected_time(editor: Client, update: IncidentUpdate) -> None:
    display_at = update.display_at
    answer = edit(editor, update, "x" * 25_001, at=(display_at - timedelta(hours=1)).isoformat())
    assert answer.status_code == 422
    update.refresh_from_db()
    assert (update.display_at, update.version) == (display_at, 1)
