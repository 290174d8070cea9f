import re

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import colors
from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.models import Draft, DraftState, EventKind, Page
from incidents.proofreading import ProofreadingOptions
from incidents.reminders.overdue_updates import Reminders
from incidents.reporting.uptime import Weights

ACCENTS = {"accent": colors.LIGHT, "accent_dark": colors.DARK}


@transaction.atomic
def create_page(*, name: str, actor: Actor, time_zone: str = "Etc/UTC", domain: str = "") -> Page:
    """A new, empty page. `time_zone` is an IANA name; `domain` the host name that it answers to, if not to any."""
    page = Page(
        name=checks.line(name, field="name", what="The name", max_length=100),
        time_zone=time_zone,
        domain=_domain(None, domain),
    )
    page.full_clean()
    page.save()
    record(page, EventKind.PAGE_CHANGED, page, actor=actor, details={"created": page.name})
    return page


@transaction.atomic
def edit_page(page: Page, *, actor: Actor, **changes: str) -> Page:
    """`changes`: name, domain, description, support_url, time_zone, footer, accent, accent_dark.

    An accent is `#rrggbb` and can be read on its ground, or empty. ValidationError names the field.
    """
    locked = Page.objects.select_for_update().get(pk=page.pk)
    if "name" in changes:
        changes["name"] = checks.line(changes["name"], field="name", what="The name", max_length=100)
    if "domain" in changes:
        changes["domain"] = _domain(locked, changes["domain"])
    for name in ACCENTS.keys() & changes.keys():
        changes[name] = _accent(name, changes[name])
    if changes.get("footer", "").strip():
        changes["footer"] = checks.line(changes["footer"], field="footer", what="The footer", max_length=300)
    changes = {name: value for name, value in changes.items() if value != getattr(locked, name)}
    if not changes:
        return locked
    before = {name: getattr(locked, name) for name in changes}
    for name, value in changes.items():
        setattr(locked, name, value)
    locked.full_clean()
    locked.save(update_fields=list(changes))
    record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details={"changed": changes, "before": before})
    return locked


def _accent(field: str, text: str) -> str:
    text, backgrounds = text.strip().lower(), ACCENTS[field]
    if not text:
        return ""
    if not colors.is_hex(text):
        raise ValidationError({field: "Enter the color as # and six digits from 0 to f. Example: #2846a8."})
    if (contrast := colors.contrast(text, *backgrounds)) < colors.AA:
        where, nearest = "dark" if backgrounds == colors.DARK else "light", colors.nearest(text, *backgrounds)
        message = f"{text} is hard to read on a {where} background: the contrast is {contrast:.1f} instead of 4.5."
        raise ValidationError({field: f"{message} The nearest readable color is {nearest}."})
    return text


def _domain(page: Page | None, name: str) -> str:
    """A bare host name that no other page answers to, or none."""
    name = name.strip().lower()
    if name and not re.fullmatch(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", name, re.ASCII):
        raise ValidationError({"domain": "Enter a host name without https:// and port. Example: status.example.com."})
    others = Page.objects.exclude(pk=page.pk) if page else Page.objects.all()
    if name and others.filter(domain=name).exists():
        raise ValidationError({"domain": "Another page uses this host name."})
    return name


@transaction.atomic
def set_publishing_rules(
    page: Page,
    *,
    undo_seconds: int,
    requires_approval: bool,
    actor: Actor,
    postmortems_need_approval: bool,
    postmortem_outline: str,
) -> None:
    """Set how updates are published: see `Page.undo_seconds`."""
    new = {
        "undo_seconds": undo_seconds,
        "requires_approval": requires_approval,
        "postmortems_need_approval": postmortems_need_approval,
        "postmortem_outline": postmortem_outline.replace("\r\n", "\n").strip(),
    }
    Page.objects.filter(pk=page.pk).update(**new)
    if requires_approval:
        # What waits for its time was sent when nobody had to look at it.
        Draft.objects.filter(page=page, state=DraftState.WAITING).update(state=DraftState.REVIEW, approver="")
    record(page, EventKind.PAGE_CHANGED, page, actor=actor, details={"changed": new})


@transaction.atomic
def set_embed_config(page: Page, config: dict[str, str], *, actor: Actor) -> Page:
    """Corner and colours of the widget: what is given changes, the rest stays."""
    locked = Page.objects.select_for_update().get(pk=page.pk)
    new = locked.embed_config | config
    if new != locked.embed_config:
        locked.embed_config = new
        locked.save(update_fields=["embed_config"])
        record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details={"embed_config": config})
    return locked


@transaction.atomic
def set_proofreading(page: Page, options: ProofreadingOptions, *, actor: Actor) -> Page:
    """What the proofreader looks for on this page, and what it keeps from being published."""
    locked = Page.objects.select_for_update().get(pk=page.pk)
    old, new = ProofreadingOptions.read(locked.proofreading).as_json(), options.as_json()
    if old == new:
        return locked
    locked.proofreading = new
    locked.save(update_fields=["proofreading"])
    changed = {name: {"old": old[name], "new": new[name]} for name in new if old[name] != new[name]}
    record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details={"proofreading": changed})
    return locked


@transaction.atomic
def set_staff_reminders(page: Page, reminders: Reminders, *, actor: Actor) -> Page:
    """After how many minutes without an update staff are reminded."""
    locked = Page.objects.select_for_update().get(pk=page.pk)
    old, new = Reminders.read(locked.staff_reminders).as_json(), reminders.as_json()
    if old == new:
        return locked
    locked.staff_reminders = new
    locked.save(update_fields=["staff_reminders"])
    changed = {f"remind_{name}": new[name] for name in new if old[name] != new[name]}
    before = {f"remind_{name}": old[name] for name in new if old[name] != new[name]}
    record(locked, EventKind.PAGE_CHANGED, locked, actor=actor, details={"changed": changed, "before": before})
    return locked


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


@transaction.atomic
def set_uptime_weights(page: Page, weights: Weights, *, actor: Actor) -> Page:
    """What share of its time each status counts as down: from now on, for all of the past. The old ones are kept."""
    for status, weight in weights.by_status().items():
        if not 0 <= weight <= 1:
            raise ValidationError({status: "Enter a weight from 0 (does not count) to 1 (counts fully)."})
        if weight != round(weight, 2):
            raise ValidationError({status: "Enter a weight with at most two decimals. Example: 0.25."})
    if weights.major_outage < weights.partial_outage or weights.partial_outage < weights.degraded_performance:
        raise ValidationError({"partial_outage": "A worse status cannot count less than a better one."})
    locked = Page.objects.select_for_update().get(pk=page.pk)
    old = Weights.for_page(locked)
    if weights == old:
        return locked
    locked.major_weight, locked.partial_weight = weights.major_outage, weights.partial_outage
    locked.degraded_weight = weights.degraded_performance
    locked.save(update_fields=["major_weight", "partial_weight", "degraded_weight"])
    details = {"old": old.as_json(), "new": weights.as_json()}
    record(locked, EventKind.UPTIME_WEIGHTS, locked, actor=actor, details=details)
    return locked
