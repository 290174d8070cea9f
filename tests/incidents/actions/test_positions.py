import pytest
from django.core.exceptions import ValidationError

from incidents.actions.components import component_lifecycle as actions
from incidents.actions.components.positions import Item, move, siblings_of
from incidents.models import AuditEntry, Component, ComponentGroup, Event, Page, StatusInterval
from tests.factories import ALICE, make_component, make_group, make_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    """Website, and the groups Europe (API, Database) and Asia."""
    page = make_page()
    make_component(page, "Website")
    europe = make_group(page, "Europe")
    make_group(page, "Asia")
    for name in ("API", "Database"):
        make_component(page, name, group=europe)
    return page


def component(page: Page, name: str) -> Component:
    return page.components.select_related("group", "page").get(name=name)


def group(page: Page, name: str) -> ComponentGroup:
    return page.groups.get(name=name)


def around(item: Item) -> list[str]:
    item.refresh_from_db()
    return [member.name for member in siblings_of(item)]


def test_a_component_is_placed_before_another_of_its_group(page: Page) -> None:
    api, database = component(page, "API"), component(page, "Database")
    move(page, database, into=database.group, before=api, actor=ALICE)
    assert around(api) == ["Database", "API"]


def test_a_component_changes_its_group_and_the_log_says_so(page: Page) -> None:
    website, europe = component(page, "Website"), group(page, "Europe")
    move(page, website, into=europe, before=component(page, "Database"), actor=ALICE)
    assert around(website) == ["API", "Website", "Database"]
    move(page, website, into=group(page, "Asia"), actor=ALICE)
    assert around(website) == ["Website"]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.verb, entry.object_ref) == ("components.changed", website.public_id)
    assert entry.details == {"old_group": "Europe", "new_group": "Asia", "order": [website.public_id]}


def test_a_component_leaves_its_group_for_a_place_on_the_page(page: Page) -> None:
    api = component(page, "API")
    move(page, api, before=group(page, "Europe"), actor=ALICE)
    assert around(api) == ["Website", "API", "Europe", "Asia"]


def test_a_group_moves_with_all_that_is_in_it(page: Page) -> None:
    europe = group(page, "Europe")
    move(page, europe, before=component(page, "Website"), actor=ALICE)
    assert around(europe) == ["Europe", "Website", "Asia"]
    move(page, europe, actor=ALICE)
    assert around(europe) == ["Website", "Asia", "Europe"]
    assert [member.name for member in page.components.in_page_order()] == ["Website", "API", "Database"]


def test_each_move_is_one_entry_and_one_event_and_no_move_is_none(page: Page) -> None:
    before = AuditEntry.objects.count(), Event.objects.count()
    move(page, component(page, "API"), into=group(page, "Europe"), actor=ALICE)
    assert (AuditEntry.objects.count(), Event.objects.count()) == (before[0] + 1, before[1] + 1)
    assert not Event.objects.notifying().exists()
    move(page, component(page, "API"), into=group(page, "Europe"), actor=ALICE)
    assert (AuditEntry.objects.count(), Event.objects.count()) == (before[0] + 1, before[1] + 1)


def test_a_move_that_makes_no_sense_changes_nothing(page: Page) -> None:
    website, europe = component(page, "Website"), group(page, "Europe")
    twin = make_component(page, "api")
    gone = make_component(page, "Gone")
    actions.set_archived(gone, archived=True, actor=ALICE)
    theirs = make_group(make_page(name="Other"), "Theirs")
    before = AuditEntry.objects.count(), list(Component.objects.values_list("group", "position"))
    for item, into, next_one, complaint in (
        (gone, None, None, "“Gone” is no longer on this page"),
        (website, theirs, None, "“Theirs” is no longer on this page"),
        (website, europe, group(page, "Asia"), "“Asia” is no longer in that group"),
        (website, None, website, "“Website” is no longer in that group"),
        (group(page, "Asia"), europe, None, "A group cannot contain another group"),
        (europe, europe, None, "A group cannot contain another group"),
        (twin, europe, None, "already has a component named “api”"),
    ):
        with pytest.raises(ValidationError, match=complaint):
            move(page, item, into=into, before=next_one, actor=ALICE)
    assert (AuditEntry.objects.count(), list(Component.objects.values_list("group", "position"))) == before


def test_one_status_for_many_is_recorded_as_if_each_was_set_by_hand(page: Page) -> None:
    actions.set_status(component(page, "API"), "major_outage", actor=ALICE)
    changed = actions.set_statuses(page, page.components.all(), "major_outage", note=" Fire ", actor=ALICE)
    assert {member.name for member in changed} == {"Website", "Database"}
    assert set(page.components.values_list("status", flat=True)) == {"major_outage"}
    events = Event.objects.notifying().filter(kind="component.status", component__in=changed)
    assert set(events.values_list("old_status", "new_status")) == {("operational", "major_outage")}
    details = [
        AuditEntry.objects.about(member.public_id).of_verb("component.status").get().details for member in changed
    ]
    assert details == [{"old": "operational", "new": "major_outage", "note": "Fire"}] * 2
    assert StatusInterval.objects.as_corrected().filter(status="major_outage", ended_at=None).count() == 3


def test_one_that_cannot_be_set_leaves_all_as_they_were(page: Page) -> None:
    theirs = make_component(make_page(name="Other"), "Theirs")
    for components, status in (([*page.components.all(), theirs], "major_outage"), (page.components.all(), "on_fire")):
        with pytest.raises(ValidationError):
            actions.set_statuses(page, components, status, actor=ALICE)
    assert set(Component.objects.values_list("status", flat=True)) == {"operational"}
    assert not Event.objects.filter(kind="component.status").exists()
