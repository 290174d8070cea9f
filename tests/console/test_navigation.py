import pytest

from tests.console.staff import parsed_page, signed_in
from tests.factories import make_page
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

OWNERS = {
    "Declare",
    "Emails",
    "Audit log",
    "Settings",
    "Uptime",
    "Proofreading",
    "Publishing rules",
    "People",
    "API tokens",
}
EVERYBODY = {
    "Dashboard",
    "Incidents",
    "Components",
    "Subscribers",
    "Reports",
    "Incident templates",
    "Channels",
    "Publishing",
    "Data retention",
    "Search or run a command",
}


def bar(path: str, role: str) -> list[Element]:
    return parsed_page(signed_in(role).get(path)).one("nav", aria_label="Console").all("a")


@pytest.mark.parametrize(
    ("role", "extra"),
    [
        ("viewer", set()),
        ("editor", {"Emails", "Audit log", "Declare"}),
        ("owner", OWNERS),
    ],
)
def test_the_bar_offers_what_the_role_may_see(role: str, extra: set[str]) -> None:
    make_page()
    links = bar("/console/p/acme/", role)
    assert {link.text for link in links} == EVERYBODY | extra
    client = signed_in(role, email="other@example.com")
    assert {client.get(link.attributes["href"]).status_code for link in links} == {200}


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/console/p/acme/", "Dashboard"),
        ("/console/p/acme/incidents/new", "Incidents"),
        ("/console/p/acme/analytics", "Reports"),
        ("/console/p/acme/reports/targets", "Reports"),
        ("/console/p/acme/people", "People"),
    ],
)
def test_the_bar_says_where_one_is(path: str, here: str) -> None:
    make_page()
    assert [link.text for link in bar(path, "owner") if "aria-current" in link.attributes] == [here]
