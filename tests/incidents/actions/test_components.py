from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.components import component_lifecycle as actions
from incidents.actions.components import positions
from incidents.models import AuditEntry, Component, Event
from incidents.visibility import Viewer
from tests.factories import ALICE, make_component, make_group, make_incident, make_page

pytestmark = pytest.mark.django_db


def names(page_order: Iterable[object]) -> list[str]:
    return [str(item) for item in page_order]


def test_setting_a_status_by_hand_keeps_the_note_for_staff() -> None:
    api = make_component(make_page())
    actions.set_status(api, "major_outage", actor=ALICE, note="Pager says so")
    assert AuditEntry.objects.get(verb="component.status").details["note"] == "Pager says so"


def test_a_change_by_hand_is_told_to_programs_unless_it_is_to_be_silent() -> None:
    api = make_component(make_page())
    actions.set_status(api, "major_outage", actor=ALICE)
    actions.set_status(api, "operational", actor=ALICE, notify=False)
    events = Event.objects.filter(kind="component.status").order_by("pk")
    assert list(events.values_list("old_status", "new_status", "notify")) == [
        ("operational", "major_outage", True),
        ("major_outage", "operational", False),
    ]


def test_setting_the_status_that_it_has_changes_nothing() -> None:
    api = make_component(make_page())
    actions.set_status(api, "operational", actor=ALICE)
    assert not Event.objects.filter(kind="component.status").exists()


def test_hidden_components_are_shown_only_while_degraded() -> None:
    page = make_page()
    quiet = make_component(page, only_show_if_degraded=True)
    assert not page.components.visible_to(Viewer.PUBLIC).exists()
    actions.set_status(quiet, "partial_outage", actor=ALICE)
    assert page.components.visible_to(Viewer.PUBLIC).get() == quiet


def test_an_archived_component_leaves_the_page_and_the_forms() -> None:
    page = make_page()
    old = make_component(page)
    actions.set_archived(old, archived=True, actor=ALICE)
    assert not page.components.visible_to(Viewer.STAFF).exists()
    with pytest.raises(ValidationError, match="no longer"):
        make_incident(page, components={old: "major_outage"})


def test_page_order_is_groups_and_loose_ones_by_position_with_members_inside() -> None:
    page = make_page()
    make_component(page, "First")
    group = make_group(page, "Group")
    make_component(page, "Last")
    make_component(page, "One", group=group)
    make_component(page, "Two", group=group)
    assert [c.name for c in page.components.in_page_order()] == ["First", "One", "Two", "Last"]


def test_reordering_moves_a_group_before_a_loose_component() -> None:
    page = make_page()
    loose, group = make_component(page, "Loose"), make_group(page, "Group")
    assert names(positions.siblings_of(loose)) == ["Loose", "Group"]
    positions.reorder(page, [group, loose], actor=ALICE)
    loose.refresh_from_db()
    assert names(positions.siblings_of(loose)) == ["Group", "Loose"]


def test_deleting_a_group_keeps_its_components() -> None:
    page = make_page()
    group = make_group(page)
    make_component(page, "A", group=group)
    make_component(page, "B", group=group)
    actions.delete_group(group, actor=ALICE)
    assert [c.name for c in Component.objects.filter(group=None).order_by("position")] == ["A", "B"]


def test_a_component_moves_only_into_a_group_of_its_page() -> None:
    foreign = make_group(make_page(name="Other"))
    with pytest.raises(ValidationError, match="not a group of this page"):
        make_component(make_page(), group=foreign)


def test_history_begins_at_the_start_date_in_the_pages_zone() -> None:
    page = make_page(time_zone="Europe/Berlin")
    api = make_component(page, start_date=date(2024, 7, 1))
    assert f"{api.intervals.get().started_at:%Y-%m-%d %H:%M}" == "2024-06-30 22:00"


def test_a_start_date_in_the_future_is_refused() -> None:
    with pytest.raises(ValidationError, match="future"):
        make_component(make_page(), start_date=timezone.now().date() + timedelta(days=2))


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb"])
def test_names_are_one_line_of_reasonable_length(name: str) -> None:
    with pytest.raises(ValidationError):
        make_component(make_page(), name)
