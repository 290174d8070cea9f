from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from incidents.actions.pages.page_settings import set_published_figures
from incidents.actions.pages.service_level_targets import set_target, set_targets
from incidents.models import AuditEntry, Component, Event, Page, ServiceTarget
from tests.factories import ALICE, make_component, make_page

pytestmark = pytest.mark.django_db

JUNE, JULY, AUGUST = (date(2026, month, 1) for month in (6, 7, 8))


@pytest.fixture
def api() -> Component:
    return make_component(make_page())


def promise(component: Component, percent: str, valid_from: date) -> bool:
    return set_target(component, Decimal(percent) if percent else None, valid_from=valid_from, actor=ALICE)


def history(component: Component) -> list[tuple[str, date, date | None]]:
    return [(f"{t.percent.normalize():f}", t.valid_from, t.valid_until) for t in component.targets.all()]


def test_a_new_target_ends_the_one_before(api: Component) -> None:
    assert promise(api, "99.9", JUNE)
    assert promise(api, "99.95", AUGUST)
    assert history(api) == [("99.9", JUNE, AUGUST), ("99.95", AUGUST, None)]


def test_a_target_from_an_earlier_day_replaces_what_was_set_for_later_ones(api: Component) -> None:
    promise(api, "99.9", JUNE)
    promise(api, "99.95", AUGUST)
    promise(api, "99.5", JULY)
    assert history(api) == [("99.9", JUNE, JULY), ("99.5", JULY, None)]
    entry = AuditEntry.objects.filter(verb="target.set").first()
    assert entry is not None
    assert entry.details["replaced"] == [["99.900", "2026-06-01", "2026-08-01"], ["99.950", "2026-08-01", ""]]


def test_an_empty_target_ends_the_current_one(api: Component) -> None:
    promise(api, "99.9", JUNE)
    promise(api, "", AUGUST)
    assert history(api) == [("99.9", JUNE, AUGUST)]


def test_who_sets_it_when_and_what_is_kept(api: Component) -> None:
    promise(api, "99.9", JUNE)
    entry, event = AuditEntry.objects.first(), Event.objects.last()
    assert entry is not None
    assert event is not None
    assert (entry.verb, entry.actor_label, entry.object_ref) == ("target.set", "Alice", api.public_id)
    assert entry.details == {"percent": "99.9", "valid_from": "2026-06-01", "replaced": []}
    assert (event.component, event.notify) == (api, False)


@pytest.mark.parametrize(("percent", "valid_from"), [("99.9", JUNE), ("99.900", JULY)])
def test_what_holds_already_is_not_set_again(api: Component, percent: str, valid_from: date) -> None:
    promise(api, "99.9", JUNE)
    before = AuditEntry.objects.count()
    assert not promise(api, percent, valid_from)
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("percent", ["0", "-1", "100.001", "99.9999", "NaN", "Infinity"])
def test_what_cannot_be_promised_is_refused(api: Component, percent: str) -> None:
    with pytest.raises(ValidationError, match="Enter a target"):
        promise(api, percent, JUNE)
    assert not ServiceTarget.objects.exists()


@pytest.mark.parametrize("percent", ["100", "0.001", "99.999"])
def test_the_limits_can_be_promised(api: Component, percent: str) -> None:
    assert promise(api, percent, JUNE)


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(9999, 1, 1)])
def test_an_impossible_day_is_refused(api: Component, day: date) -> None:
    with pytest.raises(ValidationError, match="not a valid first day for a target"):
        promise(api, "99.9", day)


def test_of_several_targets_all_are_set_or_none(api: Component) -> None:
    other = make_component(api.page, "Website")
    targets = {api: Decimal("99.9"), other: Decimal("200")}
    with pytest.raises(ValidationError):
        set_targets(api.page, targets, valid_from=JUNE, actor=ALICE)
    assert not ServiceTarget.objects.exists()


def test_what_visitors_may_read_is_switched_with_a_record_and_once() -> None:
    page = make_page()
    for _ in range(2):
        set_published_figures(page, analytics=True, reports=False, actor=ALICE)
    page = Page.objects.get()
    assert (page.analytics_public, page.reports_public) == (True, False)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_label) == ("page.changed", "Alice")
    assert entry.details == {
        "public": {"analytics": True, "reports": False},
        "before": {"analytics": False, "reports": False},
    }
