"""What is published after the record was corrected: nothing that is gone, everything that is new."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from time_machine import travel

from incidents.actions.incidents import component_corrections, deletion, merging
from incidents.actions.incidents.attributes import edit_details
from incidents.actions.incidents.backfilling import PastUpdate, backfill
from incidents.actions.pages import logos, page_settings
from incidents.images import convert_image
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved
from tests.pictures import CHALK, file_of, wordmark
from tests.publishing.test_publisher import assert_true

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """No page is rendered in one minute and compared in the next."""
    with travel(NOON, tick=False):
        yield


def test_a_duplicate_leads_to_the_kept_one_until_that_is_gone() -> None:
    page = make_page()
    incident, other = make_incident(page, title="Kept"), make_incident(page, title="Duplicate")
    address = f"/incidents/{other.public_id}"
    assert "Duplicate" in assert_true(page)[address]
    merging.merge(other, into=incident, reason="One failure.", actor=ALICE)
    texts = assert_true(page)
    assert f'href="/incidents/{incident.public_id}"' in texts[address]
    assert "Duplicate" not in texts["/history"]
    deletion.delete(incident, reason="A test.", correct_history=False, actor=ALICE)
    assert not {address, f"/incidents/{incident.public_id}"} & set(assert_true(page))
    deletion.restore(incident, reason="Real.", actor=ALICE)
    assert {address, f"/incidents/{incident.public_id}"} <= set(assert_true(page))


def test_what_was_joined_with_a_duplicate_leads_on() -> None:
    page = make_page()
    first, second, third = (make_incident(page, title=title) for title in ("One", "Two", "Three"))
    merging.merge(first, into=second, reason="The same.", actor=ALICE)
    assert_true(page)
    merging.merge(second, into=third, reason="The same.", actor=ALICE)
    assert "Three" in assert_true(page)[f"/incidents/{first.public_id}"]


def test_corrected_titles_components_and_histories_are_published() -> None:
    page = make_page()
    with travel(NOON - timedelta(hours=9), tick=False):
        api, web = make_component(page), make_component(page, "Website")
    started = NOON - timedelta(hours=3)
    incident = make_resolved(page, at=started, components={api: "major_outage"}, until=NOON - timedelta(hours=1))
    assert_true(page)
    edit_details(incident, title="Corrected title", actor=ALICE)
    assert "Corrected title" in assert_true(page)["/history"]
    first = incident.updates.oldest_first()[0]
    component_corrections.correct_components(first, {web: "major_outage"}, reason="The other one.", actor=ALICE)
    texts = assert_true(page)
    assert "Components corrected" in texts[f"/incidents/{incident.public_id}"]
    assert "Corrected title" in texts[f"/uptime/{web.public_id}"]


def test_a_past_incident_is_published_where_it_belongs() -> None:
    page = make_page()
    api = make_component(page)
    assert_true(page)
    times = [NOON - timedelta(days=150, hours=hours) for hours in (2, 1)]
    steps = [PastUpdate("investigating", "Slow.", times[0], {api: "partial_outage"})]
    incident = backfill(
        page, title="Long ago", updates=[*steps, PastUpdate("resolved", "Over.", times[1])], actor=ALICE
    )
    texts = assert_true(page)
    assert "Long ago" in texts[f"/incidents/{incident.public_id}"]


def test_an_accent_is_published_beside_the_pages_that_name_it() -> None:
    page = make_page()
    assert not [path for path in assert_true(page) if path.startswith("/accent")]
    page_settings.edit_page(page, accent="#7a1fa2", actor=ALICE)
    (path,) = [path for path in assert_true(page) if path.startswith("/accent")]
    page_settings.edit_page(page, accent="#005a9c", actor=ALICE)
    texts = assert_true(page)
    assert path not in texts
    assert sum(published_path.startswith("/accent") for published_path in texts) == 1


def test_a_logo_is_published_beside_the_pages_that_show_it() -> None:
    page = make_page()
    incident = make_incident(page)
    dark, light = convert_image(file_of(wordmark())), convert_image(file_of(wordmark(CHALK)))
    logos.set_logo(page, logo=dark, logo_dark=light, actor=ALICE)
    texts = assert_true(page)
    shown = {f"/logo-{logo.digest}.webp" for logo in (dark, light)}
    assert {path for path in texts if path.startswith("/logo-")} == shown
    assert all(path in texts[f"/incidents/{incident.public_id}"] for path in shown)
    logos.set_logo(page, logo=None, actor=ALICE)
    assert not shown & set(assert_true(page))
