from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents.actions._audit import record
from incidents.actions.checks import EARLIEST
from incidents.actor import Actor
from incidents.models import Component, EventKind, Page, ServiceTarget

LATEST = date(2999, 12, 31)


@transaction.atomic
def set_targets(
    page: Page, percents: Mapping[Component, Decimal | None], *, valid_from: date, actor: Actor
) -> list[Component]:
    """All of them or none. Returns the components whose target became another."""
    return [c for c, percent in percents.items() if set_target(c, percent, valid_from=valid_from, actor=actor)]


@transaction.atomic
def set_target(component: Component, percent: Decimal | None, *, valid_from: date, actor: Actor) -> bool:
    """From the day `valid_from` (in the page's zone) on, `percent` uptime is promised; None promises nothing.

    Replaces whatever was promised for later days; the audit log keeps it. False if it was so already.
    """
    _check_day(valid_from)
    if percent is not None:
        check_percent(percent)
    Component.objects.select_for_update().get(pk=component.pk)
    later = list(component.targets.overlapping(valid_from, LATEST))
    if _says_so(later, percent, valid_from):
        return False
    replaced = [[str(target.percent), f"{target.valid_from}", str(target.valid_until or "")] for target in later]
    for target in later:
        if target.valid_from < valid_from:
            target.valid_until = valid_from
            target.save(update_fields=["valid_until"])
        else:
            target.delete()
    if percent is not None:
        ServiceTarget.objects.create(component=component, percent=percent, valid_from=valid_from)
    details = {"percent": str(percent or ""), "valid_from": f"{valid_from}", "replaced": replaced}
    record(component.page, EventKind.TARGET_SET, component, actor=actor, details=details, component=component)
    return True


def _says_so(later: list[ServiceTarget], percent: Decimal | None, day: date) -> bool:
    if percent is None:
        return not later
    return len(later) == 1 and later[0].valid_from <= day and not later[0].valid_until and later[0].percent == percent


def check_percent(percent: Decimal) -> None:
    if not percent.is_finite() or not 0 < percent <= 100:
        raise ValidationError("Enter a target above 0 and up to 100 percent.")
    if percent != round(percent, 3):
        raise ValidationError("Enter a target with at most three decimals. Example: 99.999.")


def _check_day(valid_from: date) -> None:
    if not EARLIEST.date() <= valid_from <= LATEST:
        raise ValidationError({"valid_from": f"{valid_from} is not a valid first day for a target."})
