import pytest
from django.core.exceptions import ValidationError

from incidents.actions.pages.page_settings import create_page
from incidents.models import AuditEntry, Page
from tests.factories import ALICE, make_page

pytestmark = pytest.mark.django_db


def test_a_page_is_made_with_its_zone_and_recorded() -> None:
    page = create_page(name="Acme", time_zone="Europe/Berlin", domain="Status.Acme.example", actor=ALICE)
    assert (page.domain, str(page.zone)) == ("status.acme.example", "Europe/Berlin")
    assert AuditEntry.objects.get().details == {"created": "Acme"}


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Olympus"), ("time_zone", "../etc"), ("name", ""), ("name", "a\nb")]
)
def test_a_page_with_a_bad_zone_or_name_is_not_made(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        create_page(**{"name": "Acme", "actor": ALICE} | {field: value})  # type: ignore[arg-type]
    assert field in caught.value.message_dict
    assert not Page.objects.exists()


def test_the_host_name_chooses_the_page_and_the_first_one_answers_to_any_other() -> None:
    first, second = make_page(name="First"), make_page(name="Second", domain="two.example")
    assert Page.objects.for_host("TWO.example") == second
    assert Page.objects.for_host("elsewhere.example") == first


def test_utc_is_called_utc() -> None:
    assert make_page().zone_name == "UTC"
    assert make_page(time_zone="Europe/Berlin").zone_name == "Europe/Berlin"
