"""The rule table of contract section 1.5, and the real pages that it was checked against."""

import itertools

import pytest

from incidents.models.states import ComponentStatus
from incidents.status import Headline, impact_of, page_status, worst_status

OP, MAINT, DEG, PART, MAJ = (
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
)


@pytest.mark.parametrize(
    ("statuses", "indicator", "description"),
    [
        ([OP], "none", "All Systems Operational"),
        ([MAINT], "maintenance", "Service Under Maintenance"),
        ([DEG], "minor", "Partially Degraded Service"),
        ([PART], "major", "Partial System Outage"),
        ([MAJ], "critical", "Major System Outage"),
        ([OP, OP], "none", "All Systems Operational"),
        ([MAJ, MAJ], "critical", "Major System Outage"),
        ([PART, PART], "major", "Partial System Outage"),
        ([MAJ, OP], "major", "Partial System Outage"),
        ([MAJ, PART], "major", "Partial System Outage"),
        ([PART, OP], "minor", "Minor Service Outage"),
        ([PART, DEG, MAINT], "minor", "Minor Service Outage"),
        ([DEG, DEG], "minor", "Degraded System Service"),
        ([DEG, OP], "minor", "Partially Degraded Service"),
        ([DEG, MAINT], "minor", "Partially Degraded Service"),
        ([MAINT, OP], "maintenance", "Service Under Maintenance"),
        ([MAINT, MAINT], "maintenance", "Service Under Maintenance"),
        ([MAJ] + [OP] * 29, "major", "Partial System Outage"),
        ([PART] * 2 + [OP] * 8, "minor", "Minor Service Outage"),
        ([PART] * 28 + [MAINT] * 17 + [DEG] + [OP] * 200, "minor", "Minor Service Outage"),
        ([PART] * 2 + [OP] * 103, "minor", "Minor Service Outage"),
        ([MAJ] + [OP] * 62, "major", "Partial System Outage"),
        ([MAJ] * 7 + [OP] * 537, "major", "Partial System Outage"),
    ],
)
def test_the_headline_follows_the_rule_table(statuses: list[str], indicator: str, description: str) -> None:
    assert page_status(statuses) == Headline(indicator, description)


def test_the_order_of_components_never_matters() -> None:
    for statuses in itertools.combinations_with_replacement([OP, MAINT, DEG, PART, MAJ], 3):
        assert len({page_status(order) for order in itertools.permutations(statuses)}) == 1


def test_a_page_without_components_is_operational_unless_an_incident_is_open() -> None:
    assert page_status([]).description == "All Systems Operational"
    assert page_status([], open_impacts=["minor", "critical"]).indicator == "critical"


def test_open_incidents_do_not_outvote_components() -> None:
    assert page_status([OP, OP], open_impacts=["critical"]).indicator == "none"


def test_a_group_is_as_bad_as_its_worst_member() -> None:
    ladder = [OP, MAINT, DEG, PART, MAJ]
    for worse, better in itertools.combinations(reversed(ladder), 2):
        assert worst_status([better, worse]) == worse
    assert worst_status([]) == ComponentStatus.OPERATIONAL


@pytest.mark.parametrize(
    ("status", "impact"),
    [(OP, "none"), (DEG, "minor"), (PART, "major"), (MAJ, "critical"), (MAINT, "maintenance")],
)
def test_an_incident_has_the_impact_of_its_worst_component(status: str, impact: str) -> None:
    assert impact_of([OP, status]) == impact


def test_an_unknown_status_is_an_error_and_not_green() -> None:
    with pytest.raises(ValueError, match="exploded"):
        page_status(["exploded"])
