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


# What visitors read does not change by these, or a second person approves it in another way.
WITHOUT_APPROVAL = {
    EventKind.MAINTENANCE_REMINDER: "only Candor itself reminds",
    EventKind.IMPACT_START: "a figure for analytics",
    EventKind.POSTMORTEM_PUBLISHED: "the review of the postmortem",
    EventKind.POSTMORTEM_REVISED: "the review of the postmortem",
    EventKind.ACTION_ITEM_CHANGED: "while it is public, only its completion can change",
    EventKind.COMPONENT_STATUS: "a fact, often reported by a program",
    EventKind.TARGET_SET: "a figure",
    EventKind.UPTIME_WEIGHTS: "a setting of owners",
    EventKind.PAGE_CHANGED: "a setting of owners",
    EventKind.INCIDENT_TEMPLATES_CHANGED: "for staff",
    EventKind.METRICS_CHANGED: "figures",
}


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_needs_approval_or_has_a_reason_not_to(kind: EventKind) -> None:
    assert PROPERTIES[kind].needs_approval != (kind in WITHOUT_APPROVAL)
