"""The postmortem's page beyond its text: timeline, times, factors, files, what was done since."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.models import Draft, Incident, Page, Postmortem
from incidents.models.findings import Findings, TimelineLine
from tests.console.staff import signed_in
from tests.factories import ALICE, make_component, make_resolved

pytestmark = pytest.mark.django_db

HTMX = {"hx-request": "true"}


def url_of(incident: Incident, more: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}/postmortem{more}"


def fields_of(answer: Any) -> dict[str, str]:
    """Everything that a browser would send back with the form of the page, but for its buttons."""
    html = answer.content.decode()
    form = html[html.index('class="form wide postmortem-form"') :]
    sent = {}
    for tag in re.finditer(r"<input ([^>]*)>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag[1]))
        if attributes.get("type") != "checkbox" or "checked" in tag[1]:
            sent[attributes["name"]] = attributes.get("value", "on" if attributes.get("type") == "checkbox" else "")
    areas = re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
    return {name: value for name, value in sent.items() if name != "csrfmiddlewaretoken"} | dict(areas)


def save(client: Client, incident: Incident, button: str = "save", **changes: str) -> Any:
    typed = fields_of(client.get(url_of(incident))) | {"body": "Because."}
    return client.post(url_of(incident), typed | changes | {button: "1"})


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def public(incident: Incident) -> str:
    return str(Client().get(f"/incidents/{incident.public_id}").content.decode())


def test_a_new_editor_shows_a_generated_timeline_that_is_not_saved(editor: Client, incident: Incident) -> None:
    answer = editor.get(url_of(incident))
    assert "Investigating: We are looking. (API: Major Outage)" in answer.content.decode()
    assert "Alice declared the incident" in answer.content.decode()
    assert "Save the draft to keep it" in text_of(answer)
    assert not Postmortem.objects.exists()


def test_only_lines_marked_public_are_published_with_the_chart(editor: Client, incident: Incident) -> None:
    assert save(editor, incident, "publish", factors="No alarm\n\nHaste").status_code == 302
    html = public(incident)
    assert '<svg class="outage" role="img"' in html
    assert "Investigating: We are looking." in html
    assert "Alice declared the incident" not in html
    assert html.index("No alarm") < html.index("Haste")
    assert "48 minutes" in html


def test_a_draft_of_the_timeline_is_not_public(editor: Client, incident: Incident) -> None:
    save(editor, incident, "publish")
    save(editor, incident, "save", **{"lines-0-text": "We noticed late"})
    assert "We noticed late" not in public(incident)
    assert "This draft has unpublished changes." in text_of(editor.get(url_of(incident)))
    save(editor, incident, "publish")
    assert "We noticed late" in public(incident)
    assert "edited" in public(incident).lower()


def test_lines_are_put_in_order_and_an_emptied_one_goes(editor: Client, incident: Incident) -> None:
    earlier = f"{incident.started_at - timedelta(minutes=9):%Y-%m-%d %H:%M}"
    count = int(fields_of(editor.get(url_of(incident)))["lines-TOTAL_FORMS"])
    new = {f"lines-{count - 1}-text": "The change went out", f"lines-{count - 1}-at": earlier}
    save(editor, incident, **new, **{"lines-0-text": ""})
    texts = [line.text for line in Postmortem.objects.get().stated().timeline]
    assert texts[0] == "The change went out"
    assert not any("We are looking" in text for text in texts)


def test_a_time_alone_is_one_of_the_day_on_which_it_began(editor: Client, incident: Incident) -> None:
    Page.objects.update(time_zone="Europe/Berlin")
    long_ago = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)
    Incident.objects.update(started_at=long_ago)
    save(editor, incident, **{"lines-0-at": "9:05", "lines-1-at": "@16:14", "detected_at": "16:20"})
    stated = Postmortem.objects.get().stated()
    assert [line.at for line in stated.timeline[:2]] == [datetime(2022, 9, 21, 7, 5, tzinfo=UTC), long_ago]
    assert stated.detected_at == datetime(2022, 9, 21, 14, 20, tzinfo=UTC)


def test_filling_adds_what_happened_since_and_keeps_what_was_typed(editor: Client, incident: Incident) -> None:
    save(editor, incident, **{"lines-0-text": "Said in other words"})
    incident_actions.reopen(incident, UpdateInput(status="investigating", body="It is back."), actor=ALICE)
    answer = editor.post(url_of(incident), fields_of(editor.get(url_of(incident))) | {"fill": "1"})
    html = answer.content.decode()
    assert "Said in other words" in html
    assert "It is back." in html
    assert html.count("We are looking.") == 0, "its line was reworded, not removed"
    assert "Alice declared the incident" in html
    assert re.search(r"\d lines added at the end", html)
    assert "No missing lines." in editor.post(url_of(incident), fields_of(answer) | {"fill": "1"}).content.decode()


def test_a_full_timeline_says_so_and_offers_no_more(editor: Client, incident: Incident) -> None:
    lines = tuple(TimelineLine(incident.started_at + timedelta(seconds=n), f"Line {n}") for n in range(200))
    actions.save_draft(incident, body="Why.", actor=ALICE, findings=Findings(timeline=lines))
    answer = editor.get(url_of(incident))
    assert "The limit of 200 lines is reached." in text_of(answer)
    assert 'name="more_lines"' not in answer.content.decode()
    assert 'name="more_rows"' in answer.content.decode()


def test_more_lines_keep_what_was_typed(editor: Client, incident: Incident) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"lines-0-text": "Typed", "more_lines": "1"}
    answer = editor.post(url_of(incident), typed)
    assert 'value="Typed"' in answer.content.decode()
    assert int(fields_of(answer)["lines-TOTAL_FORMS"]) == int(typed["lines-TOTAL_FORMS"]) + 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"lines-0-at": ""}, "Enter a time."),
        ({"lines-0-at": "noon"}, "Enter a time in the page"),
        ({"lines-0-at": "2999-01-01 10:00"}, "is in the future"),
        ({"detected_at": "soon"}, "Enter a time in the page"),
        ({"detected_at": "1999-01-01 10:00", "impact_started_at": "2000-01-01 10:00"}, "before the impact began"),
        ({"impact_started_at": "2999-01-01 10:00"}, "is in the future"),
        ({"factors": "x" * 501}, "501 characters long"),
    ],
)
def test_errors_are_shown_and_the_typed_values_are_kept(
    editor: Client, incident: Incident, change: dict[str, str], complaint: str
) -> None:
    answer = save(editor, incident, **change, **{"lines-1-text": "Typed by me"})
    assert answer.status_code == 422
    assert complaint in text_of(answer)
    assert "Typed by me" in answer.content.decode()
    assert not Postmortem.objects.exists()


def test_times_and_durations_default_to_the_recorded_values(editor: Client, incident: Incident) -> None:
    code = incident.page.components.get().public_id
    assert f'name="seconds_{code}"' in editor.get(url_of(incident)).content.decode()
    detected = f"{incident.started_at + timedelta(minutes=16):%Y-%m-%d %H:%M:%S}"
    save(editor, incident, "publish", detected_at=detected, **{f"seconds_{code}": "1:02:30"})
    html = public(incident)
    assert "API, 1 h 2 min" in html
    assert re.search(r"Time to detect</dt><dd>1[56] minutes", html)
    wrong = save(editor, incident, **{f"seconds_{code}": "an hour"})
    assert "Enter minutes (48)" in text_of(wrong)


def test_the_preview_shows_the_picture_as_it_is_typed(editor: Client, incident: Incident) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"lines-0-text": "<i>Slow</i>", "preview": "1"}
    fragment = editor.post(url_of(incident), typed, headers=HTMX).content.decode()
    assert "<svg" in fragment
    assert "&lt;i&gt;Slow&lt;/i&gt;" in fragment
    assert "Alice declared the incident" not in fragment


def test_autosave_excludes_what_would_be_public_at_once(editor: Client, incident: Incident) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"body": "Half a sen", "keep": "1", "items-0-text": "Half an it"}
    typed |= {"impact_started_at": f"{incident.started_at - timedelta(minutes=9):%Y-%m-%d %H:%M}"}
    html = editor.post(url_of(incident), typed, headers=HTMX).content.decode()
    assert "Draft saved" in html
    saved = Postmortem.objects.get()
    assert (saved.draft, saved.action_items.count(), saved.stated().impact_started_at) == ("Half a sen", 0, None)
    assert "We are looking." in saved.stated().timeline[0].text
    again = typed | {"body": "Half a sentence", "version": str(saved.version)}
    assert (
        f'name="version" value="{saved.version + 1}"'
        in editor.post(url_of(incident), again, headers=HTMX).content.decode()
    )
    late = editor.post(url_of(incident), again, headers=HTMX).content.decode()
    assert "Someone else saved this postmortem" in late
    assert Postmortem.objects.get().draft == "Half a sentence"
    wrong = again | {"version": str(saved.version + 1), "lines-0-at": "noon", "body": "Only the text"}
    editor.post(url_of(incident), wrong, headers=HTMX)
    assert Postmortem.objects.get().draft == "Only the text"
    assert Postmortem.objects.get().findings == saved.findings


def test_a_button_pressed_while_the_form_is_being_kept_is_no_conflict(editor: Client, incident: Incident) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"body": "Half a sen"}
    editor.post(url_of(incident), typed | {"keep": "1"}, headers=HTMX)
    assert editor.post(url_of(incident), typed | {"body": "Whole.", "publish": "1"}).status_code == 302
    assert Postmortem.objects.get().body == "Whole."
    actions.save_draft(incident, body="Another's.", actor=Actor("user", "0", "Bob"))
    late = typed | {"body": "Mine.", "save": "1", "version": str(Postmortem.objects.get().version - 1)}
    assert editor.post(url_of(incident), late).status_code == 422


@pytest.mark.parametrize(
    "change",
    [{"lines-0-source": "\0"}, {"lines-0-source": "x" * 201}, {"detected_at": "8999-12-31T23:59:59-23:59"}],
)
def test_what_no_browser_sends_is_refused_and_breaks_no_preview(
    editor: Client, incident: Incident, change: dict[str, str]
) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"body": "Because."} | change
    for button, status in (("preview", 200), ("fill", 200), ("save", 422)):
        assert editor.post(url_of(incident), typed | {button: "1"}).status_code == status


def test_a_second_click_publishes_once_and_one_with_other_lines_is_a_conflict(
    editor: Client, incident: Incident
) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"body": "Because.", "publish": "1"}
    assert [editor.post(url_of(incident), typed).status_code for _ in range(2)] == [302, 302]
    assert editor.post(url_of(incident), typed | {"lines-0-text": "Other"}).status_code == 422


def test_a_conflict_shows_what_the_others_saved_beside_their_text(editor: Client, incident: Incident) -> None:
    save(editor, incident)
    mine = fields_of(editor.get(url_of(incident)))
    code = incident.page.components.get().public_id
    theirs = {"lines-1-text": "Bob noticed", "factors": "Haste", f"seconds_{code}": "1:02:30"}
    save(signed_in(), incident, **theirs, detected_at=f"{incident.started_at:%Y-%m-%d %H:%M:%S}")
    answer = editor.post(url_of(incident), mine | {"lines-0-text": "I noticed", "save": "1"})
    assert answer.status_code == 422
    shown = text_of(answer)[text_of(answer).index("Newer saved version") : text_of(answer).index("Your version")]
    for expected in ("Bob noticed", "Haste", "API: 1:02:30", "Detected: "):
        assert expected in shown


def test_the_proofreader_reads_what_will_be_public_beside_the_text(editor: Client, incident: Incident) -> None:
    typed = fields_of(editor.get(url_of(incident))) | {"body": "Because.", "factors": "Nobody reads 10.0.0.7"}
    typed |= {"lines-0-text": "db7.internal went away", "lines-2-text": "secret.internal is private"}
    where = f"/console/p/acme/remarks?incident={incident.public_id}&postmortem=1"
    remarks = editor.post(where, typed, headers=HTMX).content.decode()
    assert "db7.internal" in remarks
    assert "10.0.0.7" in remarks
    assert "secret.internal" not in remarks


def test_the_proofreader_reads_no_more_than_can_be_published(editor: Client, incident: Incident) -> None:
    long_text = "\n".join(["db7.internal"] * 3000)
    typed = {"body": long_text, "factors": long_text, "lines-0-is_public": "on", "lines-0-text": long_text}
    where = f"/console/p/acme/remarks?incident={incident.public_id}&postmortem=1"
    remarks = editor.post(where, typed, headers=HTMX).content.count(b"<li")
    assert 25_000 // 13 <= remarks <= 25_000 // 13 + 30 + 500 // 13 + 10


def test_the_pages_own_outline_is_what_a_postmortem_begins_with(editor: Client, incident: Incident) -> None:
    Page.objects.update(postmortem_outline="## Summary\n\n## Root causes")
    assert "## Root causes" in fields_of(editor.get(url_of(incident)))["body"]
    refused = save(editor, incident, "publish", body="## Summary ## Root causes")
    assert "The postmortem contains only headings" in text_of(refused)


def test_every_part_with_errors_is_named(editor: Client, incident: Incident) -> None:
    wrong = {"lines-0-at": "noon", "detected_at": "soon", "items-0-owner": "Ada"}
    text = text_of(save(editor, incident, **wrong))
    assert re.search("errors in the timeline *, the times and factors *and the action items", text)
    del wrong["detected_at"]
    assert re.search("errors in the timeline *and the action items", text_of(save(editor, incident, **wrong)))


def test_a_viewer_reads_no_draft(incident: Incident) -> None:
    actions.save_draft(incident, body="Why.", actor=ALICE)
    viewer = signed_in("viewer")
    for path in ("", "/review"):
        assert viewer.get(url_of(incident, path)).status_code == 403
    assert viewer.get(url_of(incident, "/export.md")).status_code == 404


def test_it_leaves_as_markdown_and_json(editor: Client, incident: Incident) -> None:
    items = [
        ActionItemDraft("Raise an alarm", owner="Ada", url="https://example.org/1"),
        ActionItemDraft("Up", done=True),
    ]
    lines = (
        TimelineLine(incident.started_at, "It fails"),
        TimelineLine(incident.started_at, "Ada is ill", is_public=False),
    )
    findings = Findings(timeline=lines, factors=("No alarm",))
    actions.publish(incident, body="At @14:14 it broke.", actor=ALICE, action_items=items, findings=findings)
    answer = editor.get(url_of(incident, "/export.md"))
    text = answer.content.decode()
    assert answer["Content-Disposition"].endswith('.md"')
    assert text.startswith(f"# {incident.title}\n")
    for expected in ("14:14 UTC", "UTC: It fails", "- No alarm", "- [ ] Raise an alarm (Ada, https", "- [x] Up"):
        assert expected in text
    assert "Ada is ill" not in text
    raw = json.loads(editor.get(url_of(incident, "/export.json")).content)
    assert [line["is_public"] for line in raw["findings"]["timeline"]] == [True, False]
    assert raw["components"][0]["seconds"] == 48 * 60
    assert [item["state"] for item in raw["action_items"]] == ["open", "done"]
    assert signed_in("viewer").get(url_of(incident, "/export.md")).status_code == 200
    assert editor.get(url_of(incident, "/export.exe")).status_code == 404


def test_completing_the_last_item_offers_a_follow_up(editor: Client, incident: Incident) -> None:
    done = [ActionItemDraft("Raise an alarm", done=True)]
    actions.publish(incident, body="Why.", actor=ALICE, action_items=done)
    assert "Add a follow-up" in text_of(editor.get(url_of(incident)))
    where = f"/console/p/acme/incidents/{incident.public_id}/follow-up"
    form = editor.get(where).content.decode()
    assert "- Raise an alarm" in form
    version = re.search(r'name="version" value="(\d+)"', form)
    assert version
    sent = {"body": "The alarm is there now.", "notify": "on", "version": version[1]}
    assert editor.post(where, sent).status_code == 302
    assert "The alarm is there now." in public(incident)
    assert "Add a follow-up" not in text_of(editor.get(url_of(incident)))


def test_what_was_done_waits_for_approval_like_any_other_text(editor: Client, incident: Incident) -> None:
    Page.objects.update(requires_approval=True)
    where = f"/console/p/acme/incidents/{incident.public_id}/follow-up"
    editor.post(where, {"body": "Done.", "version": str(incident.version), "submission_key": "abc"})
    draft = Draft.objects.get()
    assert (draft.state, draft.step) == ("review", "follow_up")
    assert "Done." in signed_in().get(f"/console/p/acme/drafts/{draft.public_id}").content.decode()
    signed_in().post(f"/console/p/acme/drafts/{draft.public_id}/act", {"act": "approve", "seen": "abc"})
    assert "Done." in public(incident)
    assert "Enter a message." in text_of(editor.post(where, {"body": "", "version": str(incident.version + 1)}))


def test_its_pages_cost_few_queries_with_two_hundred_components_and_lines(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    components = {make_component(page, f"Server {n}"): "major_outage" for n in range(200)}
    ago = timezone.now() - timedelta(hours=3)
    incident = make_resolved(page, at=ago, until=ago + timedelta(minutes=48), components=components)
    lines = tuple(TimelineLine(ago + timedelta(minutes=n / 5), f"Line {n}") for n in range(200))
    actions.save_draft(incident, body="Why.", actor=ALICE, findings=Findings(timeline=lines))
    for path in ("", "/review"):
        with django_assert_max_num_queries(15):
            assert editor.get(url_of(incident, path)).status_code == 200
