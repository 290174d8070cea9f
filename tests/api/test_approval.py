"""On a page that requires approval, no token changes what visitors read: every operation is tried."""

import re
from typing import Any

import pytest
from pytest_django import Settings

from incidents.actions.postmortems import postmortem_lifecycle
from incidents.models import Event, Postmortem, Proposal
from statuspage.accounts import tokens
from statuspage.accounts.models import Scope, User
from statuspage.api.reference_docs import openapi_schema
from tests.api.programs import Program, make_program
from tests.console.proposals.world import World, make_world, what_visitors_read
from tests.console.staff import parsed_page, signed_in
from tests.factories import ALICE, make_user

pytestmark = pytest.mark.django_db

INCIDENT = "/v1/pages/{page_id}/incidents"
COMPONENT = "/v1/pages/{page_id}/components"
GROUP = "/v1/pages/{page_id}/component-groups"
ONE = f"{INCIDENT}/{{incident_id}}"

# What changes the record: the body, or None. The ids are those of the world.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", INCIDENT): {"incident": {"name": "New outage", "body": "New text.", "status": "investigating"}},
    ("PATCH", ONE): {"incident": {"body": "More news.", "status": "identified"}},
    ("PUT", ONE): {"incident": {"name": "Another title"}},
    ("DELETE", ONE): None,
    ("PATCH", f"{ONE}/incident_updates/{{incident_update_id}}"): {"incident_update": {"body": "Changed."}},
    ("PUT", f"{ONE}/incident_updates/{{incident_update_id}}"): {"incident_update": {"body": "Changed."}},
    ("POST", COMPONENT): {"component": {"name": "New part"}},
    ("PATCH", f"{COMPONENT}/{{component_id}}"): {"component": {"description": "Changed."}},
    ("PUT", f"{COMPONENT}/{{component_id}}"): {"component": {"name": "Changed"}},
    ("DELETE", f"{COMPONENT}/{{component_id}}"): None,
    ("POST", GROUP): {"component_group": {"name": "New group", "components": []}},
    ("PATCH", f"{GROUP}/{{group_id}}"): {"component_group": {"name": "Changed"}},
    ("PUT", f"{GROUP}/{{group_id}}"): {"component_group": {"name": "Changed"}},
    ("DELETE", f"{GROUP}/{{group_id}}"): None,
}
POSTMORTEM = f"{ONE}/postmortem"
REVIEWED: dict[tuple[str, str], Any] = {
    (method, f"{POSTMORTEM}{path}"): body
    for method in ("PUT", "POST")
    for path, body in (("", {"postmortem": {"body_draft": "Another story."}}), ("/publish", {}))
}
RETRACTED: dict[tuple[str, str], Any] = {
    ("DELETE", POSTMORTEM): None,
    ("PUT", f"{POSTMORTEM}/revert"): {},
    ("POST", f"{POSTMORTEM}/revert"): {},
}
# Templates are for staff, metrics are figures, and an ADMIN token belongs to an owner.
EXEMPT = re.compile(r"incident_templates|metrics|subscribers|status_embed_config|^/v1/pages/\{page_id\}$")


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def test_every_operation_that_writes_is_tried_or_exempt() -> None:
    writing = {
        (method.upper(), path)
        for path, methods in openapi_schema()["paths"].items()
        for method, operation in methods.items()
        if method != "get" and "501" not in operation["responses"]
    }
    tried = BODIES.keys() | REVIEWED.keys() | RETRACTED.keys()
    assert {row for row in writing - tried if not EXEMPT.search(row[1])} == set()
    assert tried <= writing


def address(world: World, path: str, incident: str) -> str:
    ids = {
        "page_id": world.page.public_id,
        "incident_id": incident,
        "incident_update_id": world.open.updates.get().public_id,
        "component_id": world.api.public_id,
        "group_id": world.group.public_id,
    }
    return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)


@pytest.mark.parametrize(("method", "path"), [*BODIES, *RETRACTED])
def test_a_token_alone_changes_nothing_and_a_person_makes_it_happen(world: World, method: str, path: str) -> None:
    program, before, events = make_program(world.page), what_visitors_read(), Event.objects.count()
    about_open = (method, path) not in RETRACTED
    where = address(world, path, (world.open if about_open else world.resolved).public_id)
    response = program.request(method, where, {**BODIES, **RETRACTED}[(method, path)])
    assert response.status_code == 202, response.content
    proposal = response.json()["proposal"]
    assert proposal["state"] == "review"
    assert (what_visitors_read(), Event.objects.count()) == (before, events)
    person = signed_in()
    url = proposal["url"].partition("/console")[2]
    assert "Approve and publish" in person.get(f"/console{url}").content.decode()
    answer = person.post(f"/console{url}/act", {"act": "approve"}, follow=True)
    assert "Change approved and published." in parsed_page(answer).text
    assert what_visitors_read() != before


@pytest.mark.parametrize(("method", "path"), REVIEWED)
def test_a_postmortem_needs_its_review(world: World, method: str, path: str) -> None:
    postmortem_lifecycle.save_draft(world.resolved, body="Another story.", actor=ALICE)
    before, where = what_visitors_read(), address(world, path, world.resolved.public_id)
    response = make_program(world.page).request(method, where, REVIEWED[(method, path)])
    assert response.status_code in (200, 422)
    assert what_visitors_read() == before


def owned_program(world: World) -> tuple[Program, User]:
    owner = make_user("owner")
    token, secret = tokens.create(world.page, name="Mine", scopes=[Scope.ADMIN], actor=owner.actor)
    return Program(world.page, secret, token), owner


def test_who_made_a_token_cannot_approve_what_it_proposes(world: World) -> None:
    program, owner = owned_program(world)
    program.post("/incidents", {"incident": {"name": "Mine", "body": "Text."}}, code=202)
    path, before = f"/console/p/acme/proposals/{Proposal.objects.get().public_id}", what_visitors_read()
    theirs = signed_in()
    theirs.force_login(owner)
    assert "Approve and publish" not in theirs.get(path).content.decode()
    theirs.post(f"{path}/act", {"act": "approve"})
    assert what_visitors_read() == before
    signed_in().post(f"{path}/act", {"act": "approve"})
    assert what_visitors_read() != before


def test_who_made_a_token_cannot_approve_its_postmortem(world: World) -> None:
    program, owner = owned_program(world)
    where = f"/incidents/{world.resolved.public_id}/postmortem"
    program.put(where, {"postmortem": {"body_draft": "Another story."}})
    theirs = signed_in()
    theirs.force_login(owner)
    theirs.post(f"/console/p/acme{where}/review", {"act": "approve", "approve": "1"})
    assert not Postmortem.objects.get(incident=world.resolved).approved


def test_a_repeated_request_makes_one_proposal(world: World) -> None:
    program, body = make_program(world.page), {"incident": {"name": "Twice", "body": "Text."}}
    ids = {program.post("/incidents", body, code=202, key=key)["proposal"]["id"] for key in ("", "", "k", "k")}
    assert len(ids) == Proposal.objects.count() == 1


def test_invalid_requests_are_refused_as_before(world: World) -> None:
    program = make_program(world.page)
    program.post("/incidents", {"incident": {"name": "", "body": "Text."}}, code=422)
    program.patch(f"/components/{world.api.public_id}", {"component": {"name": ""}}, code=422)
    assert not Proposal.objects.exists()


def test_the_status_of_a_component_needs_no_approval(world: World) -> None:
    status = {"component": {"status": "partial_outage"}}
    make_program(world.page).patch(f"/components/{world.api.public_id}", status)
    world.api.refresh_from_db()
    assert world.api.status == "partial_outage"


def test_a_proposal_of_a_revoked_token_cannot_be_applied(world: World) -> None:
    program = make_program(world.page)
    program.post("/incidents", {"incident": {"name": "Late", "body": "Text."}}, code=202)
    tokens.revoke(program.token, actor=ALICE)
    before = what_visitors_read()
    signed_in().post(f"/console/p/acme/proposals/{Proposal.objects.get().public_id}/act", {"act": "approve"})
    assert what_visitors_read() == before


def test_no_secret_is_stored(world: World, settings: Settings) -> None:
    program = make_program(world.page)
    path = f"/v1/pages/acme/incidents?api_key={program.secret}"
    body = b"incident[name]=Old+client&incident[body]=Text."
    response = program.client.post(path, body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 202, response.content
    assert program.secret not in str(Proposal.objects.values().get())
    signed_in().post(f"/console/p/acme/proposals/{Proposal.objects.get().public_id}/act", {"act": "approve"})
    assert world.page.incidents.filter(title="Old client").exists()
