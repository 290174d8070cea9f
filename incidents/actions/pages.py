from django.db import transaction

from incidents.actions import checks
from incidents.actions.recording import record
from incidents.actor import Actor
from incidents.models import EventKind, Page


@transaction.atomic
def create_page(*, name: str, actor: Actor, time_zone: str = "Etc/UTC", domain: str = "") -> Page:
    """A new, empty page. `time_zone` is an IANA name; `domain` the host name that it answers to, if not to any."""
    page = Page(
        name=checks.line(name, field="name", what="The name", max_length=100),
        time_zone=time_zone,
        domain=domain.lower(),
    )
    page.full_clean()
    page.save()
    record(page, EventKind.PAGE_CHANGED, page, actor=actor, details={"created": page.name})
    return page


@transaction.atomic
def set_published_figures(page: Page, *, analytics: bool, reports: bool, actor: Actor) -> None:
    """Whether visitors may read /analytics and the service level reports."""
    locked = Page.objects.select_for_update().get(pk=page.pk)
    old = {"analytics": locked.analytics_public, "reports": locked.reports_public}
    new = {"analytics": analytics, "reports": reports}
    if old == new:
        return
    locked.analytics_public, locked.reports_public = analytics, reports
    locked.save(update_fields=["analytics_public", "reports_public"])
    record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details={"public": new, "before": old})
