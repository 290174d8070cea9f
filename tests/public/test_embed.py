"""What other sites load: the script and the frame of the notice in their corner (contract section 2.8)."""

import re

import pytest

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.update_input import UpdateInput
from tests.factories import ALICE, make_incident, make_maintenance, make_page
from tests.public.parsed_page import get, read

pytestmark = pytest.mark.django_db


def test_the_frame_alone_may_stand_on_other_sites() -> None:
    make_page()
    first = get("/embed/frame")
    for answer in (first, get("/embed/frame?mobile=true"), get("/embed/frame", if_none_match=first["ETag"])):
        assert "frame-ancestors *" in answer["Content-Security-Policy"]
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer
    for path in ("/", "/history", "/embed/script.js"):
        assert "frame-ancestors 'none'" in get(path)["Content-Security-Policy"]
        assert get(path)["X-Frame-Options"] == "DENY"


def test_the_script_names_the_frame_by_its_absolute_address_and_any_site_may_load_it() -> None:
    make_page(name="Acme", domain="status.acme.example")
    answer = get("/embed/script.js")
    assert (answer["Content-Type"], answer["Access-Control-Allow-Origin"]) == ("text/javascript; charset=utf-8", "*")
    addresses = re.findall(r'address = "(.*)";', answer.content.decode())
    assert addresses == ["http://status.acme.example/embed/frame"]


def test_a_name_cannot_leave_the_scripts_text() -> None:
    make_page(name='"; alert(1); //</script>\n*/ alert(2)')
    text = get("/embed/script.js").content.decode()
    assert "alert(1)" in text
    assert '"; alert(1)' not in text
    assert "</script>" not in text
    assert "\n*/" not in text


def test_nothing_is_told_while_nothing_is_wrong() -> None:
    page = make_page(name="Acme")
    make_maintenance(page)
    document = read("/embed/frame")
    assert document.one("body").attributes["data-codes"] == ""
    assert document.one("h1").text == "Acme Status"


def test_the_newest_open_incident_is_told_and_how_many_more() -> None:
    page = make_page(name="Acme", domain="status.acme.example")
    incident = make_incident(page, title="The API is <slow>")
    document = read("/embed/frame")
    assert document.one("h1").text == "The API is <slow>"
    assert "Latest updates at Acme Status" in document.one("main").text
    assert document.one("a").attributes["href"] == f"/incidents/{incident.public_id}"
    make_incident(page, title="Another")
    document = read("/embed/frame")
    assert (document.one("h1").text, document.one("a").attributes["href"]) == ("Another", "http://status.acme.example/")
    assert "and 1 more" in document.one("main").text


def test_running_maintenances_are_told_after_incidents() -> None:
    page = make_page()
    maintenance = make_maintenance(page, title="Upgrade")
    maintenance_lifecycle.start(maintenance, actor=ALICE)
    assert read("/embed/frame").one("h1").text == "Upgrade"
    incident = make_incident(page, title="Outage")
    codes = read("/embed/frame").one("body").attributes["data-codes"]
    assert codes.split() == [incident.public_id, maintenance.public_id]
    incident_lifecycle.resolve(incident, UpdateInput(body="Over."), restore=None, actor=ALICE)
    assert read("/embed/frame").one("body").attributes["data-codes"] == maintenance.public_id


def test_a_sample_can_be_tried_while_nothing_is_wrong() -> None:
    make_page()
    document = read("/embed/frame?test=1")
    assert (document.one("h1").text, document.one("body").attributes["data-codes"]) == ("This is a test", "test")
    assert document.one("a").attributes["href"] == "http://127.0.0.1:8000/"
