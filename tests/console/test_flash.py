"""What happened is said in one live region: on a full page, and beside the fragment that htmx asked for."""

from typing import Any

import pytest
from django.test import Client

from incidents.models import Incident, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from tests.console.staff import fields_of, parsed_page, signed_in
from tests.factories import make_incident, make_page, make_subscriber
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


@pytest.fixture
def failed(page: Page) -> Incident:
    """An incident with two failed deliveries."""
    make_subscriber(page)
    make_subscriber(page)
    incident = make_incident(page)
    fan_out_waiting()
    Delivery.objects.update(state="failed", attempts=11)
    return incident


def flash_texts(answer: Any) -> list[str]:
    """What goes into the live region."""
    return [paragraph.text for part in parsed_page(answer).all("aside") for paragraph in part.all("p")]


def deliveries(incident: Incident, tail: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}/deliveries{tail}"


def retry_form(document: Element) -> Element:
    return next(form for form in document.all("form") if "hx-post" in form.attributes)


def test_a_page_has_one_place_for_messages(editor: Client, failed: Incident) -> None:
    form = retry_form(parsed_page(editor.get(deliveries(failed))))
    document = parsed_page(editor.post(form.attributes["action"], fields_of(form), follow=True))
    (region,) = [part for part in document.walk() if part.attributes.get("id") == "toasts"]
    assert (region.attributes["role"], region.attributes["aria-live"]) == ("status", "polite")
    assert region.text == "2 deliveries queued for retry."
    assert document.text.count("queued for retry") == 1


def test_an_answer_for_htmx_says_what_it_changed_and_leaves_nothing_for_the_next_page(
    editor: Client, failed: Incident
) -> None:
    form = retry_form(parsed_page(editor.get(deliveries(failed))))
    answer = editor.post(form.attributes["hx-post"], fields_of(form), **HTMX)
    assert flash_texts(answer) == ["2 deliveries queued for retry."]
    assert parsed_page(answer).one("aside").attributes["hx-swap-oob"] == "beforeend:#toasts"
    assert "<html" not in answer.content.decode()
    assert "0 of 2 done" in parsed_page(answer).text
    assert "queued for retry" not in parsed_page(editor.get("/console/p/acme/")).text
    assert flash_texts(editor.post(form.attributes["hx-post"], fields_of(form), **HTMX)) == [
        "No failed deliveries to retry."
    ]


def test_without_scripts_one_is_back_on_the_page_and_in_the_state_that_one_had(
    editor: Client, failed: Incident
) -> None:
    form = retry_form(parsed_page(editor.get(deliveries(failed, "?state=failed&page=1"))))
    answer = editor.post(form.attributes["action"], fields_of(form))
    event = failed.events.get().pk
    assert (
        answer["Location"]
        == f"/console/p/acme/incidents/{failed.public_id}/deliveries?event={event}&state=failed&page=1"
    )


def test_who_watched_hears_the_end_once_and_no_numbers_before(editor: Client, failed: Incident) -> None:
    Delivery.objects.update(state="queued")
    paths = (deliveries(failed), f"/console/p/acme/incidents/{failed.public_id}")
    assert [flash_texts(editor.get(path, **HTMX)) for path in paths] == [[], []]
    assert not [part for part in parsed_page(editor.get(paths[0], **HTMX)).walk() if "aria-live" in part.attributes]
    Delivery.objects.update(state="sent")
    assert [flash_texts(editor.get(path, **HTMX)) for path in paths] == [["All notifications sent."]] * 2
    Delivery.objects.filter(pk=Delivery.objects.earliest("pk").pk).update(state="failed")
    assert [flash_texts(editor.get(path, **HTMX)) for path in paths] == [["1 notification could not be delivered."]] * 2


def test_that_a_draft_is_kept_is_read_out_once_for_a_form(editor: Client, failed: Incident) -> None:
    address = f"/console/p/acme/incidents/{failed.public_id}/draft/update"
    first = editor.post(address, {"body": "Half a"}, **HTMX)
    assert flash_texts(first) == ["Drafts are saved automatically."]
    named = parsed_page(first).one("input").attributes["value"]
    assert flash_texts(editor.post(address, {"body": "Half a sentence", "draft": named}, **HTMX)) == []
