"""The deliveries of an incident's notifications, and the number of recipients of an unpublished update."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.models import Event, Incident
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.fields import PREFIX
from statuspage.console.flash import FlashMessage, add_flash_message, fragment
from statuspage.console.incidents.views import completion_messages, delivery_progress_of
from statuspage.console.paging import paged
from statuspage.console.subscribers.subscriber_list import address_of
from statuspage.notifications.models import Delivery, DeliveryState
from statuspage.notifications.resending import RetryResult, retry_failed
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.event_audience import event_scope_of_draft


@role_required(Role.VIEWER)
def deliveries(request: StaffRequest, public_id: str) -> HttpResponse:
    """List the deliveries of one event of the incident: the newest, or `?event=`."""
    incident = _incident(request, public_id)
    events = list(incident.events.notifying().select_related("update"))
    event = next(
        (candidate for candidate in events if str(candidate.pk) == request.GET.get("event")),
        events[-1] if events else None,
    )
    context: dict[str, Any] = {"page": incident.page, "incident": incident, "events": events[::-1], "event": event}
    if event is None:
        return render(request, "console/incidents/deliveries.html", context)
    context |= _table(request, event)
    if request.htmx:
        return fragment(
            request,
            "console/incidents/deliveries.html#table",
            context,
            *completion_messages(context["delivery_progress"]),
        )
    return render(request, "console/incidents/deliveries.html", context)


def _table(request: StaffRequest, event: Event) -> dict[str, Any]:
    may_read = request.user.has_role(Role.EDITOR)
    state = request.GET.get("state", "")
    deliveries = Delivery.objects.of_event(event).with_details().newest_first().in_state(state)
    listed = paged(deliveries, request)
    progress = delivery_progress_of(event)
    return {
        "event": event,
        "listed": listed,
        "rows": [(delivery, address_of(delivery.subscriber, masked=not may_read)) for delivery in listed],
        "delivery_progress": progress,
        "counts": [(value, label, getattr(progress.progress, value)) for value, label in DeliveryState.choices],
        "state": state,
        "query": urlencode({"event": event.pk, "state": state}),
        "may_read": may_read,
    }


@role_required(Role.EDITOR)
@require_POST
def retry(request: StaffRequest, public_id: str) -> HttpResponse:
    """Retry the failed deliveries of `event`, or only `delivery`. Return to the same place in the list."""
    incident = _incident(request, public_id)
    event = get_object_or_404(incident.events.notifying(), pk=_number(request, "event"))
    only = _number(request, "delivery") if "delivery" in request.POST else None
    result = retry_failed(event, actor=request.user.actor, only=only)
    if request.htmx:
        context = {"page": incident.page, "incident": incident} | _table(request, event)
        return fragment(request, "console/incidents/deliveries.html#table", context, *_retry_messages(result))
    add_flash_message(request, _retry_messages(result))
    filters = {name: request.GET[name] for name in ("state", "page") if request.GET.get(name)}
    return redirect(f"{console_url(request.page, 'deliveries', public_id)}?{urlencode({'event': event.pk} | filters)}")


def _retry_messages(result: RetryResult) -> list[FlashMessage]:
    flash_messages = (
        [FlashMessage(f"{result.requeued} deliver{'y' if result.requeued == 1 else 'ies'} queued for retry.")]
        if result.requeued
        else []
    )
    if result.skipped:
        text = f"{result.skipped} skipped: the subscriber is paused or unsubscribed, or received a later update."
        flash_messages.append(FlashMessage(text, messages.WARNING))
    return flash_messages or [FlashMessage("No failed deliveries to retry.", messages.WARNING)]


@role_required(Role.EDITOR, writes=False)
@require_POST
def audience(request: StaffRequest) -> HttpResponse:
    """Return, for htmx, the number of recipients of the form's update. `kind` is the event kind."""
    page = request.page
    public_id, kind = request.POST.get("incident", ""), request.POST.get("kind", "")
    incident = get_object_or_404(page.incidents.all(), public_id=public_id) if public_id else None
    component_ids = [
        name.removeprefix(PREFIX) for name, value in request.POST.items() if name.startswith(PREFIX) and value
    ]
    scope = event_scope_of_draft(incident, kind, page.components.active().with_public_ids(component_ids))
    channels = Subscriber.objects.audience(page).matching(scope).by_channel()
    context = {"recipients": sum(channels.values()), "channels": channels if len(channels) > 1 else {}}
    return render(request, "console/incidents/_audience.html", context)


def _incident(request: StaffRequest, public_id: str) -> Incident:
    return get_object_or_404(request.page.incidents.with_details(), public_id=public_id)


def _number(request: StaffRequest, name: str) -> int:
    """Return the number, or 0, which is not a primary key, for other input."""
    typed = request.POST.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) < 19 else 0
