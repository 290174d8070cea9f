import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import ActionItem, AuditEntry, Event, Incident, Page, Postmortem, Revision
from statuspage.subscribers.models import Subscriber
from tests.factories import ALICE, BOB, make_incident, make_page, make_resolved, make_user

pytestmark = pytest.mark.django_db

TEXT = "## What happened\r\n\r\nThe cluster's **addresses** changed."
SAVED_TEXT = "## What happened\n\nThe cluster's **addresses** changed."


@pytest.fixture
def incident(page: Page) -> Incident:
    return make_resolved(page)


def url_of(incident: Incident) -> str:
    return f"/console/p/acme/incidents/{incident.public_id}/postmortem"


def typed(
    button: str, body: str = TEXT, version: int = 0, rows: list[dict[str, str]] | None = None, **more: str
) -> dict[str, str]:
    """What a browser without JavaScript sends."""
    data = {button: "1", "body": body, "version": str(version), "items-INITIAL_FORMS": "0", **more}
    rows = rows or []
    data["items-TOTAL_FORMS"] = str(len(rows) + 3)
    for number, row in enumerate(rows + [{}] * 3):
        for name in ("pk", "text", "owner", "due_on", "url"):
            data[f"items-{number}-{name}"] = row.get(name, "")
        if "done" in row:
            data[f"items-{number}-done"] = "on"
    return data


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def body_of(answer: Any) -> str:
    match = re.search(r'<textarea name="body"[^>]*>(.*?)</textarea>', answer.content.decode(), re.DOTALL)
    assert match
    return match.group(1).strip()


ROW = {"text": "Upgrade the client", "owner": "Dana", "due_on": "2026-09-01", "url": "https://example.org/1"}


def test_an_empty_postmortem_begins_with_an_outline(editor: Client, incident: Incident) -> None:
    answer = editor.get(url_of(incident))
    headings = re.findall(r"^## (.+)$", body_of(answer), re.MULTILINE)
    assert headings == ["What happened", "Impact", "Why it was not noticed", "What we do now"]
    assert not Postmortem.objects.exists()


def test_a_draft_is_kept_and_nobody_sees_it(editor: Client, incident: Incident) -> None:
    answer = editor.post(url_of(incident), typed("save", rows=[ROW]))
    assert answer["Location"] == url_of(incident)
    saved = Postmortem.objects.get()
    assert (saved.draft, saved.is_published) == (SAVED_TEXT, False)
    item = saved.action_items.get()
    assert (item.text, item.owner, item.due_on, item.url) == (ROW["text"], "Dana", date(2026, 9, 1), ROW["url"])
    again = editor.get(url_of(incident))
    assert "Draft saved." in text_of(again)
    assert body_of(again) == SAVED_TEXT.replace("'", "&#x27;")
    assert 'value="Upgrade the client"' in again.content.decode()
    assert b"addresses" not in Client().get(f"/incidents/{incident.public_id}").content


def test_publishing_shows_it_to_visitors_and_notifies(editor: Client, incident: Incident) -> None:
    editor.post(url_of(incident), typed("publish", rows=[ROW, {"text": "Alarm", "done": "on"}], notify="on"))
    public = Client().get(f"/incidents/{incident.public_id}").content.decode()
    assert "<strong>addresses</strong>" in public
    assert "1 of 2 done" in public
    assert Event.objects.get(kind="postmortem.published").notify is True


def test_publishing_without_notifications(editor: Client, incident: Incident) -> None:
    editor.post(url_of(incident), typed("publish"))
    assert Event.objects.get(kind="postmortem.published").notify is False


def test_the_form_says_how_many_will_be_notified(editor: Client, incident: Incident) -> None:
    for number in range(3):
        Subscriber.objects.create(page=incident.page, email=f"{number}@example.org").confirm()
    Subscriber.objects.create(page=incident.page, email="unconfirmed@example.org")
    assert "Notify 3 subscribers" in text_of(editor.get(url_of(incident)))


def test_publication_can_be_backdated_in_the_pages_zone(editor: Client, page: Page) -> None:
    Page.objects.update(time_zone="Europe/Berlin")
    long_ago = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)
    incident = make_resolved(page, at=long_ago, until=long_ago + timedelta(hours=1))
    editor.post(url_of(incident), typed("publish", at="2022-09-22 21:35"))
    assert Postmortem.objects.get().published_at == datetime(2022, 9, 22, 19, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("body", "", "Enter a message."),
        ("body", "[" * 10_000, "are not closed"),
        ("body", "x" * 25_001, "25,001 characters long"),
        ("body", "Hello <script>alert(1)</script>", "HTML like &lt;script&gt; is not allowed"),
        ("body", "[click](javascript:alert(1))", "A link must start with http:"),
        (
            "body",
            "## What happened\n\n## Impact\n\n## Why it was not noticed\n## What we do now",
            "The postmortem contains only headings",
        ),
        ("at", "tomorrow", "Enter a time in the page"),
        ("at", "2999-01-01 00:00", "is in the future"),
        ("at", "1999-01-01 00:00", "before the previous update"),
    ],
)
def test_invalid_input_is_rejected_next_to_its_field_and_not_saved(
    editor: Client, incident: Incident, field: str, value: str, complaint: str
) -> None:
    before = AuditEntry.objects.count()
    answer = editor.post(url_of(incident), typed("publish", rows=[ROW]) | {field: value})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'<p class="error" id="id_{field}_error">[^<]*{re.escape(complaint)}', html)
    assert 'value="Upgrade the client"' in html
    assert not Postmortem.objects.exists()
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"owner": "Dana"}, "Describe the action, or clear the whole row."),
        ({"text": "x" * 501}, "at most 500 characters"),
        ({"text": "Do", "owner": "x" * 101}, "at most 100 characters"),
        ({"text": "Do", "due_on": "soon"}, "Enter a valid date."),
        ({"text": "Do", "url": "javascript:alert(1)"}, "Enter a full URL. Example: https://example.org/12."),
        ({"text": "Do", "url": "not a link"}, "Enter a full URL. Example: https://example.org/12."),
    ],
)
def test_an_invalid_action_item_is_rejected_in_its_row(
    editor: Client, incident: Incident, row: dict[str, str], complaint: str
) -> None:
    answer = editor.post(url_of(incident), typed("save", rows=[row]))
    assert answer.status_code == 422
    assert complaint in text_of(answer)
    assert "addresses" in body_of(answer)
    assert not ActionItem.objects.exists()


def test_a_link_scheme_that_is_no_web_page_is_refused(editor: Client, incident: Incident) -> None:
    answer = editor.post(url_of(incident), typed("save", rows=[{"text": "Do", "url": "ftp://example.org/"}]))
    assert answer.status_code == 422
    assert not Postmortem.objects.exists()


def test_a_bad_draft_text_is_refused_too(editor: Client, incident: Incident) -> None:
    answer = editor.post(url_of(incident), typed("save", body="[" * 301))
    assert answer.status_code == 422
    assert body_of(answer) == "[" * 301
    assert not Postmortem.objects.exists()


def test_fifty_action_items_are_the_most(editor: Client, incident: Incident) -> None:
    answer = editor.post(url_of(incident), typed("save", rows=[{"text": f"Do {n}"} for n in range(51)]))
    assert answer.status_code == 422
    assert not ActionItem.objects.exists()


def test_a_forged_count_of_rows_is_no_server_error(editor: Client, incident: Incident) -> None:
    for count in ("", "x", "-1", "9" * 30):
        answer = editor.post(url_of(incident), typed("save") | {"items-TOTAL_FORMS": count})
        assert answer.status_code in {302, 422}
        assert editor.post(url_of(incident), typed("more_rows") | {"items-TOTAL_FORMS": count}).status_code == 200


def test_more_rows_keep_what_was_typed_and_save_nothing(editor: Client, incident: Incident) -> None:
    answer = editor.post(url_of(incident), typed("more_rows", rows=[ROW]))
    html = answer.content.decode()
    assert len(re.findall(r'name="items-\d+-', html)) >= 7 * 5
    assert 'value="Upgrade the client"' in html
    assert "addresses" in body_of(answer)
    assert not Postmortem.objects.exists()


def test_the_preview_without_javascript_keeps_all_that_was_typed(editor: Client, incident: Incident) -> None:
    answer = editor.post(url_of(incident), typed("preview", rows=[ROW], at="2026-01-31 10:00"))
    html = answer.content.decode()
    assert "<strong>addresses</strong>" in html
    assert "addresses" in body_of(answer)
    assert 'value="Upgrade the client"' in html
    assert 'value="2026-01-31 10:00"' in html
    assert not Postmortem.objects.exists()


def test_the_live_preview_is_what_visitors_will_get(editor: Client, incident: Incident) -> None:
    live = editor.post(url_of(incident), typed("preview", rows=[ROW]), headers={"hx-request": "true"})
    fragment = live.content.decode()
    assert "<html" not in fragment
    assert ROW["text"] in fragment
    published = actions.publish(incident, body=TEXT, actor=ALICE)
    assert published.body_html in fragment


def test_the_live_preview_says_what_would_be_refused(editor: Client, incident: Incident) -> None:
    data = typed("preview", body="<script>alert(1)</script>")
    fragment = editor.post(url_of(incident), data, headers={"hx-request": "true"}).content.decode()
    assert "HTML like &lt;script&gt; is not allowed" in fragment
    assert "<script>" not in fragment


def test_an_open_incident_has_a_draft_but_no_publish_button(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    html = editor.get(url_of(incident)).content.decode()
    assert "Resolve the incident" in html
    assert 'name="publish"' not in html
    answer = editor.post(url_of(incident), typed("publish"))
    assert "Resolve the incident before you publish its postmortem." in text_of(answer)
    assert editor.post(url_of(incident), typed("save")).status_code == 302


def test_the_revision_form_explains_that_visitors_see_the_changes(editor: Client, incident: Incident) -> None:
    version = actions.publish(incident, body="At 13:00 UTC.", actor=ALICE).version
    form = text_of(editor.get(url_of(incident)))
    assert "shows “edited” with the changes" in form
    assert "Notify" not in form
    editor.post(url_of(incident), typed("publish", body="At 14:00 UTC.", version=version))
    assert Revision.objects.get().body == "At 13:00 UTC."
    assert "<del>13:00</del>" in Client().get(f"/incidents/{incident.public_id}").content.decode()
    assert "Changes published." in text_of(editor.get(url_of(incident)))


def test_a_draft_of_a_revision_is_not_public_and_says_so(editor: Client, incident: Incident) -> None:
    version = actions.publish(incident, body="Old text.", actor=ALICE).version
    editor.post(url_of(incident), typed("save", body="New text.", version=version))
    assert b"New text." not in Client().get(f"/incidents/{incident.public_id}").content
    assert "This draft has unpublished changes." in text_of(editor.get(url_of(incident)))


def test_emptying_a_row_removes_its_item_and_ticking_it_does_it(editor: Client, incident: Incident) -> None:
    drafts = [ActionItemDraft("First"), ActionItemDraft("Second")]
    saved = actions.save_draft(incident, body="Text.", actor=ALICE, action_items=drafts)
    first, second = saved.action_items.all()
    rows = [{"pk": str(first.pk)}, {"pk": str(second.pk), "text": "Second", "done": "on"}]
    editor.post(url_of(incident), typed("save", body="Text.", version=saved.version, rows=rows))
    item = ActionItem.objects.get()
    assert (item.pk, item.done_at is not None) == (second.pk, True)


def test_an_item_of_another_postmortem_cannot_be_taken(editor: Client, incident: Incident, page: Page) -> None:
    other = actions.save_draft(make_resolved(page), body="Text.", actor=ALICE, action_items=[ActionItemDraft("Theirs")])
    theirs = other.action_items.get()
    editor.post(url_of(incident), typed("save", rows=[{"pk": str(theirs.pk), "text": "Mine"}]))
    theirs.refresh_from_db()
    assert (theirs.text, theirs.postmortem) == ("Theirs", other)


def test_of_two_editors_the_second_sees_both_texts_and_loses_nothing(editor: Client, incident: Incident) -> None:
    actions.save_draft(incident, body="What Bob saved.", actor=BOB, action_items=[ActionItemDraft("Bob's item")])
    answer = editor.post(url_of(incident), typed("save", body="What I wrote.", version=0, rows=[ROW]))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Both versions are shown below" in html
    assert "What Bob saved." in html
    assert "Bob&#x27;s item" in html
    assert body_of(answer) == "What I wrote."
    assert 'value="Upgrade the client"' in html
    assert Postmortem.objects.get().draft == "What Bob saved."
    version = re.search(r'name="version" value="(\d+)"', html)
    assert version
    editor.post(url_of(incident), typed("save", body="Merged.", version=int(version.group(1))))
    assert Postmortem.objects.get().draft == "Merged."


def test_a_second_click_on_save_is_no_conflict(editor: Client, incident: Incident) -> None:
    answers = [editor.post(url_of(incident), typed("save", rows=[ROW])).status_code for _ in range(2)]
    assert answers == [302, 302]
    assert Postmortem.objects.get().action_items.count() == 1


def test_a_second_click_on_publish_publishes_once(editor: Client, incident: Incident) -> None:
    for _ in range(2):
        editor.post(url_of(incident), typed("publish", notify="on", rows=[ROW]))
    assert Event.objects.filter(kind="postmortem.published").count() == 1


def test_publishing_over_somebody_elses_equal_draft_is_still_a_conflict(editor: Client, incident: Incident) -> None:
    actions.save_draft(incident, body=SAVED_TEXT, actor=BOB)
    assert editor.post(url_of(incident), typed("publish", version=0)).status_code == 422
    assert not Postmortem.objects.get().is_published


def test_retracting_asks_first_and_keeps_the_text(editor: Client, incident: Incident) -> None:
    published = actions.publish(incident, body="Too early.", actor=ALICE)
    where = f"{url_of(incident)}/retract"
    assert "Unpublish the postmortem?" in text_of(editor.get(where))
    assert Postmortem.objects.get().is_published
    editor.post(where, {"version": str(published.version)})
    assert b"Too early." not in Client().get(f"/incidents/{incident.public_id}").content
    assert body_of(editor.get(url_of(incident))) == "Too early."


def test_retracting_what_somebody_just_revised_is_a_conflict(editor: Client, incident: Incident) -> None:
    old = actions.publish(incident, body="First.", actor=ALICE).version
    actions.publish(incident, body="Second.", actor=BOB)
    answer = editor.post(f"{url_of(incident)}/retract", {"version": str(old)}, follow=True)
    assert "Someone else changed this postmortem." in text_of(answer)
    assert Postmortem.objects.get().is_published


def test_what_is_not_published_cannot_be_retracted(editor: Client, incident: Incident) -> None:
    actions.save_draft(incident, body="Draft.", actor=ALICE)
    assert editor.get(f"{url_of(incident)}/retract").status_code == 404


@pytest.mark.parametrize("path", ["", "/retract"])
def test_viewers_do_not_write(incident: Incident, path: str) -> None:
    actions.publish(incident, body="Text.", actor=ALICE)
    client = Client()
    assert client.get(url_of(incident) + path).status_code == 302
    client.force_login(make_user("viewer"))
    assert client.post(url_of(incident) + path, typed("save")).status_code == 403
    assert Postmortem.objects.get().is_published


def test_another_pages_incident_is_not_found(editor: Client, page: Page) -> None:
    assert editor.get(url_of(make_resolved(make_page(name="Other")))).status_code == 404


def test_the_page_costs_few_queries_whatever_the_number_of_items(
    editor: Client, incident: Incident, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    drafts = [ActionItemDraft(f"Item {number}") for number in range(50)]
    actions.publish(incident, body="Text.", actor=ALICE, action_items=drafts, at=timezone.now())
    with django_assert_max_num_queries(15):
        editor.get(url_of(incident))
