"""A postmortem between two people: comments, approval, and what becomes of either when somebody saves again."""

import re

import pytest
from django.test import Client

from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.models import Incident, Page, Postmortem
from tests.console.postmortems.test_postmortem_editor import public, save, text_of, url_of
from tests.console.staff import signed_in
from tests.factories import ALICE, make_resolved

pytestmark = pytest.mark.django_db


def test_a_second_person_reads_approves_and_then_it_can_be_published(editor: Client, incident: Incident) -> None:
    Page.objects.update(postmortems_need_approval=True)
    assert 'name="publish"' not in editor.get(url_of(incident)).content.decode()
    assert save(editor, incident, "publish").status_code == 422
    save(editor, incident, "ask")
    assert "Waiting for approval" in text_of(editor.get("/console/p/acme/"))
    mine = editor.get(url_of(incident, "/review"))
    assert "someone else must approve it" in text_of(mine)
    assert 'name="approve"' not in mine.content.decode()
    version = str(Postmortem.objects.get().version)
    assert editor.post(url_of(incident, "/review"), {"approve": "1", "version": version}).status_code == 422
    second = signed_in()
    assert "Because." in second.get(url_of(incident, "/review")).content.decode()
    second.post(url_of(incident, "/review"), {"approve": "1", "version": version})
    assert 'name="publish"' in editor.get(url_of(incident)).content.decode()
    assert save(editor, incident, "publish").status_code == 302
    assert "Because." in public(incident)


def test_an_approval_after_somebody_saved_again_is_refused(editor: Client, incident: Incident) -> None:
    save(editor, incident, "ask")
    seen = str(Postmortem.objects.get().version)
    save(editor, incident, body="Because of something else.")
    answer = signed_in().post(url_of(incident, "/review"), {"approve": "1", "version": seen}, follow=True)
    assert "Someone else changed this postmortem after you opened this page" in text_of(answer)
    assert not Postmortem.objects.get().approved


def test_comments_are_for_staff_and_an_empty_one_is_refused(editor: Client, incident: Incident) -> None:
    save(editor, incident, "publish")
    where = url_of(incident, "/review")
    editor.post(where, {"comment": "Was it <b>really</b> so?"})
    assert "Was it &lt;b&gt;really&lt;/b&gt; so?" in editor.get(where).content.decode()
    assert "Review (1 comment)" in text_of(editor.get(url_of(incident)))
    assert "really" not in public(incident)
    assert editor.post(where, {"comment": " "}).status_code == 422
    comment = Postmortem.objects.get().comments.get()
    editor.post(where, {"settle": str(comment.pk)})
    assert "resolved by" in text_of(editor.get(where))


def test_a_comment_of_another_postmortem_cannot_be_settled_from_here(
    editor: Client, page: Page, incident: Incident
) -> None:
    other = make_resolved(page)
    for reviewed in (incident, other):
        actions.save_draft(reviewed, body="Why.", actor=ALICE)
        editor.post(url_of(reviewed, "/review"), {"comment": "Hm."})
    theirs = Postmortem.objects.get(incident=other).comments.get()
    assert editor.post(url_of(incident, "/review"), {"settle": str(theirs.pk)}).status_code == 404


def test_an_unfinished_comment_is_kept_for_every_button(editor: Client, incident: Incident) -> None:
    Page.objects.update(postmortems_need_approval=True)
    save(editor, incident, "ask")
    where, second = url_of(incident, "/review"), signed_in()
    second.post(where, {"comment": "First."})
    first_comment = Postmortem.objects.get().comments.get()
    settled = second.post(where, {"settle": str(first_comment.pk), "comment": "Half a thou"})
    assert "Half a thou</textarea>" in settled.content.decode()
    assert "resolved by" in text_of(settled)
    seen = str(Postmortem.objects.get().version)
    save(editor, incident, "ask", body="Because of something else.")
    late = second.post(where, {"return": "1", "comment": "Which one?", "version": seen})
    assert "Someone else changed this postmortem after" in text_of(late)
    assert "Which one?</textarea>" in late.content.decode()
    assert "Because of something else." in late.content.decode()
    version = str(Postmortem.objects.get().version)
    second.post(where, {"approve": "1", "comment": "Well written.", "version": version})
    assert [comment.body for comment in Postmortem.objects.get().comments.all()] == ["First.", "Well written."]
    assert "Publish…" in text_of(second.get(where))
    log = text_of(second.get("/console/p/acme/audit"))
    for did in ("requested approval of", "commented on", "approved", "resolved a comment on"):
        assert f"{did} the postmortem of" in log


def test_requesting_changes_requires_a_comment(editor: Client, incident: Incident) -> None:
    save(editor, incident, "ask")
    second = signed_in()
    version = str(Postmortem.objects.get().version)
    refused = second.post(url_of(incident, "/review"), {"return": "1", "comment": "", "version": version})
    assert "Enter a text." in text_of(refused)
    assert {'name="return"', 'name="approve"'} <= set(
        re.findall(r'name="(?:return|approve)"', refused.content.decode())
    )
    assert f'name="version" value="{version}"' in refused.content.decode()


def test_saving_shows_what_happens_next(editor: Client, incident: Incident) -> None:
    Page.objects.update(postmortems_need_approval=True)
    save(editor, incident, "ask")
    waiting = editor.get(url_of(incident)).content.decode()
    assert "Save and request approval again" in waiting
    assert 'name="notify"' not in waiting
    save(editor, incident, body="Because of something else.")
    assert "The change withdrew the approval request" in text_of(editor.get(url_of(incident)))
    Page.objects.update(postmortems_need_approval=False)
    save(editor, incident, "publish")
    save(editor, incident, **{"items-0-text": "Raise an alarm"})
    assert "Postmortem saved. Action items are updated" in text_of(editor.get(url_of(incident)))
