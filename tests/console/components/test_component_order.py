"""The list of components: putting things where they belong, and one status for many."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.models import AuditEntry, Component, ComponentGroup, Event, Page
from tests.console.staff import fields_of, fill_in, form_to, parsed_page, signed_in
from tests.factories import make_component, make_group, make_page

pytestmark = pytest.mark.django_db

LIST = "/console/p/acme/components"
PLACE = f"{LIST}/place"
STATUSES = f"{LIST}/statuses"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def place(client: Client, item: Component | ComponentGroup, **more: Any) -> Any:
    codes = {name: target.public_id for name, target in more.items()}
    return client.post(PLACE, {"item": item.public_id, **codes}, headers={"HX-Request": "true"})


def names(page: Page) -> list[str]:
    return [component.full_name for component in page.components.in_page_order()]


def statuses(page: Page) -> dict[str, str]:
    return dict(page.components.values_list("name", "status"))


def many(page: Page) -> list[Component]:
    groups = [make_group(page, f"Group {number}") for number in range(8)]
    return [make_component(page, f"Part {number}", group=group) for group in groups for number in range(25)]


# Where things stand


def test_a_component_is_put_into_a_group_before_another(editor: Client, page: Page) -> None:
    europe = make_group(page, "Europe")
    db = make_component(page, "Database", group=europe)
    api = make_component(page, "API")
    assert place(editor, api, into=europe, before=db).status_code == 204
    assert names(page) == ["Europe - API", "Europe - Database"]


def test_what_names_nothing_goes_to_the_end_of_the_page(editor: Client, page: Page) -> None:
    europe = make_group(page, "Europe")
    api = make_component(page, "API", group=europe)
    make_component(page, "Database", group=europe)
    assert place(editor, api).status_code == 204
    assert names(page) == ["Europe - Database", "API"]


def test_without_scripts_the_answer_leads_back_to_the_row(editor: Client, page: Page) -> None:
    api = make_component(page, "API")
    answer = editor.post(PLACE, {"item": api.public_id})
    assert answer["Location"] == f"{LIST}#at-{api.public_id}"


def test_what_has_left_meanwhile_moves_nothing_and_the_page_says_so(editor: Client, page: Page) -> None:
    api, gone = make_component(page, "API"), make_component(page, "Fax")
    elsewhere = make_group(make_page(name="Other"), "Theirs")
    gone.delete()
    for more in ({"before": gone}, {"into": elsewhere}, {"into": api}):
        assert place(editor, api, **more).status_code == 422
        assert "The order was changed by someone else." in parsed_page(editor.get(LIST)).text
    assert editor.post(PLACE, {"item": "nosuchcode12"})["Location"] == LIST


def test_a_name_that_the_group_has_already_is_refused(editor: Client, page: Page) -> None:
    europe = make_group(page, "Europe")
    make_component(page, "api", group=europe)
    api = make_component(page, "API")
    assert place(editor, api, into=europe).status_code == 422
    assert "The group “Europe” already has a component named “API”." in parsed_page(editor.get(LIST)).text
    assert "API" in names(page)


def test_viewers_place_and_set_nothing(page: Page) -> None:
    api = make_component(page, "API")
    viewer = signed_in("viewer")
    assert place(viewer, api).status_code == 403
    assert viewer.post(STATUSES, {"chosen": api.public_id, "status": "major_outage"}).status_code == 403
    document = parsed_page(viewer.get(LIST))
    assert document.all("input", type="checkbox") == document.all("button", name="up") == []
    assert document.all("form", id="statuses") == []


# One status for many


def test_what_is_ticked_gets_one_status_and_a_note(editor: Client, page: Page) -> None:
    chosen = [make_component(page, name).public_id for name in ("API", "Database")]
    make_component(page, "Website")
    sent = fill_in(editor, LIST, STATUSES, chosen=chosen, status="partial_outage", note="Power cut in row 7")
    answer = editor.post(STATUSES, sent, follow=True)
    assert "2 components set to Partial Outage." in parsed_page(answer).text
    assert statuses(page) == {"API": "partial_outage", "Database": "partial_outage", "Website": "operational"}
    entries = AuditEntry.objects.of_verb("component.status")
    assert sorted(entry.object_ref for entry in entries) == sorted(chosen)
    assert {entry.details["note"] for entry in entries} == {"Power cut in row 7"}
    assert Event.objects.notifying().count() == 2


def test_a_tick_on_a_group_means_all_that_is_in_it(editor: Client, page: Page) -> None:
    europe = make_group(page, "Europe")
    for name in ("API", "Database"):
        make_component(page, name, group=europe)
    website = make_component(page, "Website")
    sent = {"groups": europe.public_id, "chosen": website.public_id, "status": "under_maintenance"}
    assert "3 components set to Maintenance." in parsed_page(editor.post(STATUSES, sent, follow=True)).text
    assert set(statuses(page).values()) == {"under_maintenance"}


def test_one_that_is_ticked_is_called_by_its_name(editor: Client, page: Page) -> None:
    sent = {"chosen": make_component(page, "API").public_id, "status": "major_outage"}
    assert "API set to Major Outage." in parsed_page(editor.post(STATUSES, sent, follow=True)).text


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("status", "", "Choose a status."),
        ("status", "on_fire", "Select a valid choice."),
        ("note", "x" * 501, "at most 500 characters"),
        ("note", "a\0b", "Null characters are not allowed."),
        ("chosen", [], "Select at least one component."),
        ("chosen", ["nosuchcode12"], "One of the selected components no longer exists."),
    ],
)
def test_bad_input_changes_nothing_and_keeps_what_was_ticked(
    editor: Client, page: Page, field: str, value: Any, complaint: str
) -> None:
    api = make_component(page, "API")
    sent: dict[str, Any] = {"chosen": [api.public_id], "status": "major_outage", "note": "Typed."}
    answer = editor.post(STATUSES, sent | {field: value})
    document = parsed_page(answer)
    assert answer.status_code == 422
    assert complaint in document.one("div", role="alert").text
    assert statuses(page) == {"API": "operational"}
    (box,) = document.all("input", name="chosen")
    assert ("checked" in box.attributes) == (field != "chosen")
    if field != "note":
        assert fields_of(form_to(document, STATUSES))["note"] == ["Typed."]


def test_an_archived_component_and_one_of_another_page_cannot_be_ticked(editor: Client, page: Page) -> None:
    api = make_component(page, "API")
    theirs = make_component(make_page(name="Other"), "Theirs")
    editor.post(f"{LIST}/{api.public_id}/archive")
    for component in (api, theirs):
        assert editor.post(STATUSES, {"chosen": component.public_id, "status": "major_outage"}).status_code == 422
    assert set(Component.objects.values_list("status", flat=True)) == {"operational"}


# What it costs


def test_two_hundred_components_cost_the_list_no_more_queries(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    many(page)
    with django_assert_max_num_queries(7):
        document = parsed_page(editor.get(LIST))
    assert len(document.all("li", class_="component-row")) == len(document.all("input", name="chosen")) == 200


def test_placing_one_of_two_hundred_takes_as_many_queries_as_one_of_two(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    last = many(page)[-1]
    first = page.groups.all()[0]
    last_group = page.groups.all()[7]
    with django_assert_max_num_queries(20):
        assert place(editor, last_group, before=first).status_code == 204
    with django_assert_max_num_queries(20):
        assert place(editor, last, before=first).status_code == 204
    assert names(page)[0] == "Group 7 - Part 0"
    assert names(page)[24] == "Part 24"
