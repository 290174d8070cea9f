"""The table of event kinds: complete, and consistent with itself."""

import pytest

from incidents.models.event_kinds import NOTIFIED_KINDS, PROPERTIES, EventKind


def test_every_kind_has_an_entry() -> None:
    assert set(PROPERTIES) == set(EventKind)


@pytest.mark.parametrize("kind", EventKind)
def test_what_only_matters_to_subscribers_is_set_only_for_kinds_that_notify_them(kind: EventKind) -> None:
    properties = PROPERTIES[kind]
    assert properties.audit_sentence
    if kind not in NOTIFIED_KINDS:
        assert not any([properties.is_milestone, properties.by_sms, properties.webhooks_only])
        assert not any([properties.email_headline, properties.subject_label])


def test_kinds_without_a_headline_take_it_from_the_status_of_their_update() -> None:
    without = {kind for kind in NOTIFIED_KINDS if not PROPERTIES[kind].email_headline}
    assert without == {EventKind.INCIDENT_UPDATED, EventKind.MAINTENANCE_UPDATED, EventKind.COMPONENT_STATUS}
