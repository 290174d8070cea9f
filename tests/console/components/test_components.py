import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Component, ComponentGroup, Page
from tests.factories import make_component, make_group, make_page, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def order_on_page(client: Client) -> list[str]:
    return re.findall(r'id="at-(\w+)"', client.get("/console/p/acme/components").content.decode())


def move(client: Client, direction: str, item: Component | ComponentGroup) -> Any:
    return client.post("/console/p/acme/components/move", {direction: item.public_id})


def test_an_empty_page_teaches_what_components_are(editor: Client) -> None:
    text = text_of(editor.get("/console/p/acme/components"))
    assert "Components are the parts of your service that your customers recognize" in text
    assert "Add the first component" in text


def test_components_stand_in_page_order_with_their_status(editor: Client, page: Page) -> None:
    website = make_component(page, "Website")
    group = make_group(page, "Public APIs")
    rest = make_component(page, "REST API", group=group, status="partial_outage")
    empty = make_group(page, "Regions")
    assert order_on_page(editor) == [website.public_id, group.public_id, rest.public_id, empty.public_id]
    text = text_of(editor.get("/console/p/acme/components"))
    assert "REST API Partial Outage" in text
    assert "Website Operational" in text
    assert "Empty groups are hidden from visitors." in text


def test_a_component_is_added_with_all_that_was_typed(editor: Client, page: Page) -> None:
    group = make_group(page)
    data = {
        "name": " GraphQL ",
        "group": group.public_id,
        "description": "The newer one.",
        "only_show_if_degraded": "on",
        "start_date": "2024-05-01",
    }
    answer = editor.post("/console/p/acme/components/new", data)
    made = Component.objects.get()
    assert answer["Location"] == f"/console/p/acme/components#at-{made.public_id}"
    assert (made.name, made.group, made.description) == ("GraphQL", group, "The newer one.")
    assert (made.only_show_if_degraded, made.start_date) == (True, date(2024, 5, 1))
    assert "Component “GraphQL” added." in text_of(editor.get("/console/p/acme/components"))


def test_adding_from_a_group_has_the_group_chosen(editor: Client, page: Page) -> None:
    group = make_group(page)
    form = editor.get(f"/console/p/acme/components/new?group={group.public_id}").content.decode()
    assert f'<option value="{group.public_id}" selected>' in form


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "", "The name is missing."),
        ("name", "   ", "The name is missing."),
        ("name", "x" * 256, "The name is 256 characters long; 255 are allowed."),
        ("name", "two\r\nlines", "The name must be a single line without control characters."),
        ("name", "website", "The page already has a component with this name."),
        ("description", "x" * 1001, "at most 1000 characters"),
        ("group", "nosuchgroup1", "Select a valid choice."),
        ("start_date", "yesterday", "Enter a valid date."),
        ("start_date", f"{timezone.now() + timedelta(days=3):%Y-%m-%d}", "The start date is in the future."),
    ],
)
def test_bad_input_is_refused_beside_the_field_and_nothing_is_written(
    editor: Client, page: Page, field: str, value: str, complaint: str
) -> None:
    make_component(page, "Website")
    before = AuditEntry.objects.count()
    typed = {"name": "Search", "description": "Kept as typed."}
    answer = editor.post("/console/p/acme/components/new", typed | {field: value})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'<p class="error" id="id_{field}_error">[^<]*{re.escape(complaint)}', html)
    assert re.search(rf'<(?:input|select|textarea)[^>]*id="id_{field}"[^>]*', html)
    assert 'aria-invalid="true"' in html
    assert (typed | {field: value})["description"] in html
    assert (Component.objects.count(), AuditEntry.objects.count()) == (1, before)


def test_a_name_is_shown_as_text(editor: Client, page: Page) -> None:
    make_component(page, "<script>alert(1)</script>")
    assert "<script>alert" not in editor.get("/console/p/acme/components").content.decode()


def test_a_second_click_makes_no_second_component(editor: Client, page: Page) -> None:
    for _ in range(2):
        answer = editor.post("/console/p/acme/components/new", {"name": "Search"})
    assert Component.objects.count() == 1
    assert answer.status_code == 422


def test_a_component_is_renamed_and_moved_to_a_group(editor: Client, page: Page) -> None:
    group = make_group(page)
    component = make_component(page, "Website", start_date=date(2024, 5, 1))
    where = f"/console/p/acme/components/{component.public_id}"
    form = editor.get(where)
    assert 'value="Website"' in form.content.decode()
    assert "Running since May 01, 2024" in text_of(form)
    editor.post(where, {"name": "Web shop", "group": group.public_id, "description": ""})
    component.refresh_from_db()
    assert (component.name, component.group, component.start_date) == ("Web shop", group, date(2024, 5, 1))


def test_a_component_may_keep_its_own_name(editor: Client, page: Page) -> None:
    component = make_component(page, "Website")
    answer = editor.post(
        f"/console/p/acme/components/{component.public_id}", {"name": "Website", "description": "The shop."}
    )
    assert answer.status_code == 302


def test_up_and_down_move_a_component_by_one(editor: Client, page: Page) -> None:
    first, second, third = (make_component(page, name) for name in ("One", "Two", "Three"))
    answer = move(editor, "up", third)
    assert answer["Location"] == f"/console/p/acme/components#at-{third.public_id}"
    assert order_on_page(editor) == [first.public_id, third.public_id, second.public_id]
    move(editor, "down", first)
    assert order_on_page(editor) == [third.public_id, first.public_id, second.public_id]


def test_groups_and_loose_components_move_past_each_other(editor: Client, page: Page) -> None:
    loose = make_component(page, "Website")
    group = make_group(page)
    member = make_component(page, "REST API", group=group)
    move(editor, "up", group)
    assert order_on_page(editor) == [group.public_id, member.public_id, loose.public_id]


def test_members_move_within_their_group_only(editor: Client, page: Page) -> None:
    group = make_group(page)
    first, second = (make_component(page, name, group=group) for name in ("One", "Two"))
    loose = make_component(page, "Website")
    move(editor, "up", second)
    move(editor, "up", second)
    assert order_on_page(editor) == [group.public_id, second.public_id, first.public_id, loose.public_id]


@pytest.mark.parametrize(("direction", "expected"), [("top", "312"), ("bottom", "123"), ("down", "123")])
def test_the_ends_of_the_list_are_reached_at_once(editor: Client, page: Page, direction: str, expected: str) -> None:
    things = [make_component(page, name) for name in "123"]
    move(editor, direction, things[2])
    assert "".join(Component.objects.order_by("position").values_list("name", flat=True)) == expected


def test_moving_what_is_not_there_is_not_found(editor: Client, page: Page) -> None:
    elsewhere = make_component(make_page(name="Other"), "Theirs")
    assert move(editor, "up", elsewhere).status_code == 404
    assert editor.post("/console/p/acme/components/move", {}).status_code == 302


def test_an_archived_component_leaves_and_comes_back(editor: Client, page: Page) -> None:
    component = make_component(page, "Fax gateway")
    editor.post(f"/console/p/acme/components/{component.public_id}/archive")
    assert component.public_id not in order_on_page(editor)
    assert "1 archived" in text_of(editor.get("/console/p/acme/components"))
    assert editor.get(f"/console/p/acme/components/{component.public_id}").status_code == 404
    editor.post(f"/console/p/acme/components/{component.public_id}/archive", {"restore": "1"})
    assert component.public_id in order_on_page(editor)


def test_a_group_is_made_renamed_and_deleted_without_its_components(editor: Client, page: Page) -> None:
    editor.post("/console/p/acme/groups/new", {"name": "APIs", "description": ""})
    group = ComponentGroup.objects.get()
    component = make_component(page, "REST API", group=group)
    editor.post(f"/console/p/acme/groups/{group.public_id}", {"name": "Public APIs", "description": "For all."})
    group.refresh_from_db()
    assert (group.name, group.description) == ("Public APIs", "For all.")
    assert "Its 1 component stays on the page" in text_of(editor.get(f"/console/p/acme/groups/{group.public_id}"))
    editor.post(f"/console/p/acme/groups/{group.public_id}/delete")
    assert not ComponentGroup.objects.exists()
    component.refresh_from_db()
    assert component.group is None


def test_a_group_needs_a_name_of_its_own(editor: Client, page: Page) -> None:
    make_group(page, "APIs")
    assert "A group with this name already exists." in text_of(
        editor.post("/console/p/acme/groups/new", {"name": "apis"})
    )
    assert "The name is missing." in text_of(editor.post("/console/p/acme/groups/new", {"name": ""}))
    assert ComponentGroup.objects.count() == 1


def test_another_page_is_out_of_reach(editor: Client, page: Page) -> None:
    other = make_page(name="Other")
    component, group = make_component(other, "Theirs"), make_group(other, "Their group")
    for path in (f"components/{component.public_id}", f"groups/{group.public_id}"):
        assert editor.get(f"/console/p/acme/{path}").status_code == 404
    data = {"name": "Mine", "group": group.public_id}
    assert "Select a valid choice" in text_of(editor.post("/console/p/acme/components/new", data))


def test_viewers_read_and_change_nothing(page: Page) -> None:
    component, group = make_component(page, "Website"), make_group(page)
    viewer = signed_in("viewer")
    html = viewer.get("/console/p/acme/components").content.decode()
    assert "Website" in html
    assert '<form method="post" action="/console/p/acme/components/new' not in html
    assert 'name="up"' not in html
    posts: list[tuple[str, dict[str, str]]] = [
        ("components/new", {"name": "X"}),
        (f"components/{component.public_id}", {"name": "X"}),
        (f"components/{component.public_id}/archive", {}),
        ("components/move", {"up": group.public_id}),
        ("groups/new", {"name": "X"}),
        (f"groups/{group.public_id}", {"name": "X"}),
        (f"groups/{group.public_id}/delete", {}),
    ]
    before = AuditEntry.objects.count()
    assert {viewer.post(f"/console/p/acme/{path}", data).status_code for path, data in posts} == {403}
    assert AuditEntry.objects.count() == before


def test_two_hundred_components_cost_as_many_queries_as_two(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(8):
        group = make_group(page, f"Group {number}")
        for member in range(25):
            make_component(page, f"A rather long name of a component that nobody shortened {member}", group=group)
    with django_assert_max_num_queries(7):
        answer = editor.get("/console/p/acme/components")
    assert answer.content.decode().count("component-row") == 200
