"""What cannot be published is refused beside its field, stands in the form as it was typed, and leaves no trace."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Incident, Page
from tests.console.staff import Fields, fields_of, fill_in, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved, make_subscriber
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

NEW = "/console/p/acme/incidents/new"


@pytest.fixture
def page() -> Page:
    page = make_page(time_zone="Europe/Berlin")
    make_subscriber(page)
    return page


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def everything() -> dict[str, Any]:
    """All that the domain and the ledger know."""
    models = [*apps.get_app_config("incidents").get_models(), *apps.get_app_config("subscribers").get_models()]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


class Form:
    """One of the console's forms, opened. `prefix` is what its field names begin with."""

    def __init__(self, editor: Client, opened_at: str, sent_to: str = "", *, prefix: str = "") -> None:
        self.editor, self.opened_at, self.sent_to, self.prefix = editor, opened_at, sent_to, prefix

    def refused(self, **typed: str) -> tuple[Element, Fields]:
        """The page that comes back, its form inside, and what that form holds now."""
        fields = {self.prefix + name: value for name, value in typed.items()}
        sent = fill_in(self.editor, self.opened_at, self.sent_to, **fields)
        before = everything()
        answer = self.editor.post(self.sent_to or self.opened_at, sent)
        assert answer.status_code == 422
        assert everything() == before
        document = parsed_page(answer)
        held = fields_of(form_to(document, self.sent_to))
        for name in fields:
            assert [" ".join(value.split()) for value in held[name]] == [
                " ".join(typed[name[len(self.prefix) :]].split())
            ]
        return document, held


def declare_form(editor: Client, page: Page) -> Form:
    return Form(editor, NEW)


def update_form(editor: Client, page: Page) -> Form:
    place = f"/console/p/acme/incidents/{make_incident(page).public_id}"
    return Form(editor, place, f"{place}/update")


def resolve_form(editor: Client, page: Page) -> Form:
    place = f"/console/p/acme/incidents/{make_incident(page).public_id}"
    return Form(editor, place, f"{place}/resolve", prefix="resolve-")


def reopen_form(editor: Client, page: Page) -> Form:
    place = f"/console/p/acme/incidents/{make_resolved(page).public_id}"
    return Form(editor, place, f"{place}/reopen")


def edit_form(editor: Client, page: Page) -> Form:
    return Form(editor, f"/console/p/acme/updates/{make_incident(page).updates.get().public_id}/edit")


def complaints(document: Element) -> dict[str, str]:
    """What is said beside which control, by the control's name (a set of controls: its id)."""
    ids = {element.attributes["id"]: element for element in document.walk() if "id" in element.attributes}
    return {
        control.attributes.get("name", control.attributes["id"]): " ".join(
            ids[name].text for name in control.attributes["aria-describedby"].split() if name.endswith("_error")
        )
        for control in invalid_controls(document)
    }


BODIES = [
    pytest.param("", "Enter a message.", id="empty"),
    pytest.param("  \n\t ", "Enter a message.", id="blank"),
    pytest.param("x" * 25_001, "This is 25,001 characters long; 25,000 are allowed.", id="too long"),
    pytest.param("[" * 10_000, "more than 300 “[”, “(” or “<” that are not closed", id="brackets"),
    pytest.param("<script>alert(1)</script>", "HTML like <script> is not allowed.", id="script"),
    pytest.param(
        "[click](javascript:alert(1))", "A link must start with http:, https: or mailto:, not javascript:.", id="link"
    ),
    pytest.param("a\x00b", "Null characters are not allowed.", id="null"),
]
FORMS = [declare_form, update_form, resolve_form, reopen_form, edit_form]


@pytest.mark.parametrize(("text", "complaint"), BODIES)
@pytest.mark.parametrize("open_form", FORMS)
def test_a_message_that_cannot_be_published(
    editor: Client, page: Page, open_form: Callable[[Client, Page], Form], text: str, complaint: str
) -> None:
    form = open_form(editor, page)
    typed = {"body": text} | ({"title": "API outage"} if open_form is declare_form else {})
    document, _ = form.refused(**typed)
    messages = complaints(document)
    assert set(messages) == {form.prefix + "body"}
    assert complaint in messages[form.prefix + "body"]


@pytest.mark.parametrize(
    ("title", "complaint"),
    [
        ("", "The title is missing."),
        ("   ", "The title is missing."),
        ("x" * 256, "The title is 256 characters long; 255 are allowed."),
        ("API outage\r\nBcc: everybody@example.com", "The title must be a single line without control characters."),
        ("API\x0boutage", "The title must be a single line without control characters."),
        ("API\u2028outage", "The title must be a single line without control characters."),
    ],
)
def test_a_title_that_cannot_be_published(editor: Client, page: Page, title: str, complaint: str) -> None:
    document, _ = declare_form(editor, page).refused(title=title, body="We are looking.")
    assert complaints(document) == {"title": complaint}


TIMES = [
    ("tomorrow", "Enter a time in the page's time zone. Example: 2026-01-31 14:05"),
    ("2022-09-31 10:00", "Enter a time in the page's time zone. Example: 2026-01-31 14:05"),
    ("2022-09-21 25:00", "Enter a time in the page's time zone. Example: 2026-01-31 14:05"),
    ("1663769640", "Enter a time in the page's time zone. Example: 2026-01-31 14:05"),
    ("x" * 41, "at most 40 characters"),
    (f"{timezone.now() + timedelta(days=3650):%Y-%m-%d %H:%M}", "is in the future."),
    (
        "2026-03-29 02:30",
        "02:30 does not exist on Mar 29 in Europe/Berlin (daylight saving time starts). Use 01:30 or 03:30.",
    ),
    ("2025-10-26 02:30", "Enter 2025-10-26T02:30+0200 or 2025-10-26T02:30+0100."),
    ("0001-01-01 00:00", "Enter a year between 1900 and 9000."),
    ("0001-01-01T00:00+14:00", "Enter a year between 1900 and 9000."),
    ("9999-12-31 23:59", "Enter a year between 1900 and 9000."),
    ("9999-12-31T23:59-14:00", "Enter a year between 1900 and 9000."),
    ("1970-01-01 00:00", "1970-01-01 is too long ago."),
]


@pytest.mark.parametrize(("at", "complaint"), TIMES)
@pytest.mark.parametrize("open_form", [declare_form, update_form, resolve_form, reopen_form])
def test_a_time_that_cannot_have_been(
    editor: Client, page: Page, open_form: Callable[[Client, Page], Form], at: str, complaint: str
) -> None:
    form = open_form(editor, page)
    typed = {"at": at, "body": "We know more."} | ({"title": "API outage"} if open_form is declare_form else {})
    document, _ = form.refused(**typed)
    messages = complaints(document)
    assert set(messages) == {form.prefix + "at"}
    assert complaint in messages[form.prefix + "at"]


def test_the_answer_to_an_hour_that_came_twice_can_be_typed_as_it_is_proposed(editor: Client, page: Page) -> None:
    for proposed, hour in (("2025-10-26T02:30+0200", 0), ("2025-10-26T02:30+0100", 1)):
        editor.post(NEW, fill_in(editor, NEW, title="At night", body="It was dark.", at=proposed))
        started = Incident.objects.latest("pk").started_at
        assert (started.hour, started.minute) == (hour, 30)


def test_an_update_cannot_be_older_than_the_one_before_it(editor: Client, page: Page) -> None:
    form = update_form(editor, page)
    document, _ = form.refused(at=f"{timezone.now() - timedelta(days=2):%Y-%m-%d %H:%M}", body="We know more.")
    assert "This is before the previous update" in complaints(document)["at"]


def test_a_component_that_is_not_on_the_page(editor: Client, page: Page) -> None:
    theirs = make_component(make_page(name="Other"), "Theirs")
    gone = make_component(page, "Fax")
    for component in (theirs, gone):
        Component.objects.filter(pk=gone.pk).update(archived_at=timezone.now())
        before = everything()
        typed = fill_in(editor, NEW, title="API outage", body="We are looking.")
        answer = editor.post(NEW, typed | {f"component_{component.public_id}": "major_outage"})
        assert answer.status_code == 422
        assert everything() == before
        document = parsed_page(answer)
        assert complaints(document) == {"id_components": f"This page has no component “{component.public_id}”."}
        assert fields_of(form_to(document))["body"] == ["We are looking."]


def test_a_component_status_that_does_not_exist(editor: Client, page: Page) -> None:
    rest = make_component(page)
    before = everything()
    typed = fill_in(
        editor, NEW, title="API outage", body="We are looking.", **{f"component_{rest.public_id}": "on_fire"}
    )
    answer = editor.post(NEW, typed)
    assert answer.status_code == 422
    assert complaints(parsed_page(answer)) == {"id_components": "“on_fire” is not a component status."}
    assert everything() == before


@pytest.mark.parametrize("status", ["resolved", "completed", "scheduled", "on_fire", ""])
@pytest.mark.parametrize("open_form", [declare_form, update_form, reopen_form])
def test_a_status_that_an_open_incident_cannot_have(
    editor: Client, page: Page, open_form: Callable[[Client, Page], Form], status: str
) -> None:
    form = open_form(editor, page)
    before = everything()
    sent = fill_in(editor, form.opened_at, form.sent_to, title="API outage", body="We know more.", status=status)
    before = everything()
    answer = editor.post(form.sent_to or form.opened_at, sent)
    assert answer.status_code == 422
    assert everything() == before
    document = parsed_page(answer)
    assert set(complaints(document)) == {"status"}
    assert fields_of(form_to(document, form.sent_to))["body"] == ["We know more."]


@pytest.mark.parametrize("impact", ["maintenance", "doomsday"])
def test_an_impact_that_does_not_exist(editor: Client, page: Page, impact: str) -> None:
    before = everything()
    answer = editor.post(NEW, fill_in(editor, NEW, title="API outage", body="We are looking.", impact=impact))
    assert answer.status_code == 422
    assert set(complaints(parsed_page(answer))) == {"impact"}
    assert everything() == before


def test_a_component_to_set_back_that_the_incident_never_named(editor: Client, page: Page) -> None:
    other = make_component(page, "Website", status="major_outage")
    form = resolve_form(editor, page)
    sent = fill_in(editor, form.opened_at, form.sent_to)
    before = everything()
    answer = editor.post(form.sent_to, sent | {"resolve-restore": [other.public_id]})
    assert answer.status_code == 422
    assert everything() == before
    assert "Nothing was published" in parsed_page(answer).text


@pytest.mark.parametrize("version", [None, "", "abc", "-1", "999", "1.5", "9" * 40])
@pytest.mark.parametrize("open_form", [update_form, resolve_form, edit_form])
def test_a_form_without_the_version_that_its_author_read(
    editor: Client, page: Page, open_form: Callable[[Client, Page], Form], version: str | None
) -> None:
    form = open_form(editor, page)
    typed = {form.prefix + "version": version, form.prefix + "body": "Typed."}
    sent = fill_in(editor, form.opened_at, form.sent_to, **typed)
    before = everything()
    answer = editor.post(form.sent_to or form.opened_at, sent)
    assert answer.status_code == 422
    assert everything() == before
    again = fields_of(form_to(parsed_page(answer), form.sent_to))
    assert again[form.prefix + "body"] == ["Typed."]
    assert editor.post(form.sent_to or form.opened_at, again).status_code == 302


def test_the_list_of_what_is_wrong_leads_to_the_fields(editor: Client, page: Page) -> None:
    document, _ = declare_form(editor, page).refused(title="", body="", at="yesterday")
    (alert,) = [element for element in document.walk() if element.attributes.get("role") == "alert"]
    ids = [element.attributes.get("id") for element in document.walk()]
    targets = [link.attributes["href"].removeprefix("#") for link in alert.all("a")]
    assert targets == ["id_title", "id_body", "id_at"]
    assert all(ids.count(target) == 1 for target in targets)


def test_what_was_typed_comes_back_as_text_not_as_markup(editor: Client, page: Page) -> None:
    answer = editor.post(
        NEW, fill_in(editor, NEW, title='"><script>alert(1)</script>', body="</textarea><script>x</script>")
    )
    assert answer.status_code == 422
    scripts = parsed_page(answer).all("script")
    assert all("src" in script.attributes for script in scripts)


def test_a_status_set_by_hand_that_does_not_exist(editor: Client, page: Page) -> None:
    rest = make_component(page)
    before = everything()
    answer = editor.post(f"/console/p/acme/components/{rest.public_id}/status", {"status": "on_fire"}, follow=True)
    assert "“on_fire” is not a component status." in parsed_page(answer).text
    assert everything() == before


def test_a_note_that_is_too_long(editor: Client, page: Page) -> None:
    rest = make_component(page)
    before = everything()
    typed = {"status": "major_outage", "note": "x" * 501}
    answer = editor.post(f"/console/p/acme/components/{rest.public_id}/status", typed, follow=True)
    assert "The note is 501 characters long. The maximum is 500." in parsed_page(answer).text
    assert everything() == before


def test_the_preview_says_what_is_wrong_and_writes_nothing(editor: Client, page: Page) -> None:
    before = everything()
    for text, complaint in (("<script>x</script>", "HTML like <script>"), ("[" * 10_000, "more than 300")):
        answer = editor.post("/console/p/acme/preview", {"body": text}, headers={"hx-request": "true"})
        assert answer.status_code == 200
        assert complaint in parsed_page(answer).one("p", class_="error").text
    assert everything() == before


def test_an_action_that_another_caller_refuses_is_shown_too(editor: Client, page: Page) -> None:
    incident = make_resolved(page)
    place = f"/console/p/acme/incidents/{incident.public_id}"
    typed = {"body": "One more thing.", "status": "monitoring", "version": str(incident.version)}
    answer = editor.post(f"{place}/update", typed)
    assert answer.status_code == 422
    assert "This incident is resolved. Reopen it to post an update." in parsed_page(answer).text
    assert actions.reopen(incident, UpdateInput(body="Again."), actor=ALICE).status == "investigating"
