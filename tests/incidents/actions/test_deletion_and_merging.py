from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import deletion, merging
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.models import AuditEntry, Component, Event, Incident, Page
from incidents.visibility import Viewer
from tests.factories import ALICE, make_component, make_incident, make_maintenance, make_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


def delete(incident: Incident, *, correct_history: bool = False, reason: str = "A test.") -> list[Component]:
    return deletion.delete(incident, reason=reason, correct_history=correct_history, actor=ALICE)


def test_a_deleted_incident_is_hidden_holds_nothing_and_keeps_its_rows(page: Page) -> None:
    api = make_component(page)
    incident = make_incident(page, components={api: "major_outage"})
    delete(incident)
    assert not page.incidents.visible_to(Viewer.PUBLIC).exists()
    assert not page.incidents.unresolved().exists()
    assert not Component.objects.affected_by_any(page.incidents.ongoing()).exists()
    assert incident.updates.count() == 1
    assert AuditEntry.objects.get(verb="incident.hidden").details == {"reason": "A test."}


def test_its_components_stay_as_they_are_unless_asked(page: Page) -> None:
    api = make_component(page)
    assert delete(make_incident(page, components={api: "major_outage"})) == []
    api.refresh_from_db()
    assert api.status == "major_outage"


def test_on_request_its_components_never_were_down(page: Page) -> None:
    api, web = make_component(page), make_component(page, "Website", status="partial_outage")
    incident = make_incident(page, components={api: "major_outage", web: "major_outage"})
    assert set(delete(incident, correct_history=True)) == {api, web}
    api.refresh_from_db()
    web.refresh_from_db()
    assert (api.status, web.status) == ("operational", "partial_outage")
    assert not api.intervals.as_corrected().impaired().exists()
    assert api.intervals.filter(status="major_outage", superseded_at__isnull=False).exists()


def test_a_reason_is_obligatory_and_twice_is_refused(page: Page) -> None:
    incident = make_incident(page)
    with pytest.raises(ValidationError):
        delete(incident, reason="")
    delete(incident)
    with pytest.raises(ValidationError):
        delete(incident)


def test_a_deleted_incident_can_be_restored(page: Page) -> None:
    incident = make_incident(page)
    delete(incident)
    deletion.restore(incident, reason="It was real.", actor=ALICE)
    assert page.incidents.visible_to(Viewer.PUBLIC).get() == incident
    assert Event.objects.filter(kind="incident.restored", notify=False, incident=incident).exists()
    with pytest.raises(ValidationError):
        deletion.restore(incident, reason="Again.", actor=ALICE)


def test_a_duplicate_redirects_to_the_remaining_incident(page: Page) -> None:
    api, web = make_component(page), make_component(page, "Website")
    target = make_incident(page, components={api: "major_outage"})
    other = make_incident(page, components={api: "major_outage", web: "partial_outage"})
    merging.merge(other, into=target, reason="One failure.", actor=ALICE)
    other.refresh_from_db()
    assert (other.merged_into, other.updates.count()) == (target, 1)
    assert list(page.incidents.visible_to(Viewer.PUBLIC)) == [target]
    assert set(Component.objects.affected_by(target)) == {api, web}
    web.refresh_from_db()
    assert web.status == "partial_outage"
    refs = AuditEntry.objects.filter(verb="incident.merged").values_list("object_ref", flat=True)
    assert set(refs) == {target.public_id, other.public_id}


def test_a_chain_of_duplicates_redirects_to_the_last_remaining_incident(page: Page) -> None:
    first, second, third = (make_incident(page) for _ in range(3))
    merging.merge(first, into=second, reason="The same.", actor=ALICE)
    merging.merge(second, into=third, reason="The same.", actor=ALICE)
    first.refresh_from_db()
    assert first.merged_into == third


def test_an_incident_cannot_merge_with_itself_a_deleted_one_or_another_kind(page: Page) -> None:
    incident, gone = make_incident(page), make_incident(page)
    actions.hide(gone, actor=ALICE, reason="A test.")
    elsewhere = make_incident(make_page(name="Other", domain="other.example.com"))
    for into in (incident, gone, elsewhere, make_maintenance(page)):
        with pytest.raises(ValidationError) as refused:
            merging.merge(incident, into=into, reason="No.", actor=ALICE)
        assert "into" in refused.value.message_dict
    incident.refresh_from_db()
    assert incident.hidden_at is None
    with pytest.raises(ValidationError):
        merging.merge(gone, into=incident, reason="No.", actor=ALICE)


def test_restoring_a_duplicate_ends_the_merge(page: Page) -> None:
    target, other = make_incident(page), make_incident(page, at=timezone.now() - timedelta(hours=1))
    merging.merge(other, into=target, reason="One failure.", actor=ALICE)
    deletion.restore(other, reason="Two after all.", actor=ALICE)
    other.refresh_from_db()
    assert (other.merged_into, other.hidden_at) == (None, None)
