from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from incidents.models import AuditEntry, Component, Event, Page
from tests.console.staff import fields_of, fill_in, form_to, parsed_page, signed_in
from tests.factories import make_component, make_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def owner(page: Page) -> Client:
    return signed_in("owner", name="Olga")


def save(client: Client, **typed: str) -> Any:
    return client.post("/console/p/acme/uptime", fill_in(client, "/console/p/acme/uptime", **typed))


def weights(page: Page) -> list[Decimal]:
    page.refresh_from_db()
    return [page.major_weight, page.partial_weight, page.degraded_weight]


def test_the_form_shows_what_counts_now(owner: Client) -> None:
    fields = fields_of(form_to(parsed_page(owner.get("/console/p/acme/uptime"))))
    shares = [fields[name] for name in ("major_outage", "partial_outage", "degraded_performance")]
    assert shares == [["100"], ["30"], ["0"]]


def test_an_owner_changes_what_counts_and_it_is_audited(owner: Client, page: Page) -> None:
    answer = save(owner, partial_outage="50", degraded_performance="10")
    assert (answer.status_code, answer["Location"]) == (302, "/console/p/acme/uptime")
    assert weights(page) == [Decimal(1), Decimal("0.5"), Decimal("0.1")]
    entry = AuditEntry.objects.get(verb="uptime.weights")
    assert entry.actor_label == "Olga"
    assert entry.details == {
        "old": {"major_outage": "1", "partial_outage": "0.3", "degraded_performance": "0"},
        "new": {"major_outage": "1", "partial_outage": "0.5", "degraded_performance": "0.1"},
    }
    assert Event.objects.filter(kind="uptime.weights", notify=False).count() == 1


def test_saving_the_same_again_records_nothing(owner: Client) -> None:
    assert save(owner).status_code == 302
    assert not Event.objects.filter(kind="uptime.weights").exists()


@pytest.mark.parametrize("typed", ["", "101", "-1", "0.3", "a third"])
def test_what_is_no_share_is_refused_beside_its_field_with_the_text_still_there(
    owner: Client, page: Page, typed: str
) -> None:
    answer = save(owner, partial_outage=typed)
    assert answer.status_code == 422
    form = form_to(parsed_page(answer))
    assert form.one("p", id="id_partial_outage_error").text == "Enter a whole number from 0 to 100."
    assert fields_of(form)["partial_outage"] == [typed]
    assert weights(page) == [Decimal(1), Decimal("0.3"), Decimal(0)]


def test_a_partial_outage_cannot_count_for_more_than_a_major_one(owner: Client, page: Page) -> None:
    answer = save(owner, major_outage="20")
    assert answer.status_code == 422
    assert "cannot count less" in form_to(parsed_page(answer)).text
    assert weights(page)[0] == 1


def test_an_editor_may_not_change_it_and_has_no_link_to_it(page: Page) -> None:
    editor = signed_in("editor")
    assert editor.get("/console/p/acme/uptime").status_code == 403
    assert "/console/p/acme/uptime" not in editor.get("/console/p/acme/").content.decode()


def test_an_editor_chooses_which_components_show_their_uptime(page: Page) -> None:
    editor, api = signed_in("editor"), make_component(page)
    place = f"/console/p/acme/components/{api.public_id}"
    assert "showcase" in fields_of(form_to(parsed_page(editor.get(place))))
    editor.post(place, fill_in(editor, place, showcase=None))
    assert not Component.objects.get().showcase
    editor.post(place, fill_in(editor, place, showcase="on"))
    assert Component.objects.get().showcase
