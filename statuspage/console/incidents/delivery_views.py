"""What became of each message about an incident, and how many would hear of what is being written."""

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
from statuspage.console.incidents.views import delivery_progress_of, outcome
from statuspage.console.paging import paged
from statuspage.console.subscribers.subscriber_list import address_of
from statuspage.notifications.models import Delivery, DeliveryState
from statuspage.notifications.resending import RetryResult, retry_failed
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.matching import event_scope_of_draft


@role_required(Role.VIEWER)
def deliveries(request: StaffRequest, code: str) -> HttpResponse:
    """Of one thing that was told about the incident: the newest, or `?event=`."""
    incident = _incident(request, code)
    events = list(incident.events.notifying().select_related("update"))
    event = next((one for one in events if str(one.pk) == request.GET.get("event")), events[-1] if events else None)
    context: dict[str, Any] = {"page": incident.page, "incident": incident, "events": events[::-1], "event": event}
    if event is None:
        return render(request, "console/incidents/deliveries.html", context)
    context |= _table(request, event)
    if request.htmx:
        return fragment(request, "console/incidents/deliveries.html#table", context, *outcome(context["telling"]))
    return render(request, "console/incidents/deliveries.html", context)


def _table(request: StaffRequest, event: Event) -> dict[str, Any]:
    may_read = request.user.has_role(Role.EDITOR)
    state = request.GET.get("state", "")
    found = Delivery.objects.of_event(event).with_story().newest_first().in_state(state)
    listed = paged(found, request)
    telling = delivery_progress_of(event)
    return {
        "event": event,
        "listed": listed,
        "rows": [(one, address_of(one.subscriber, masked=not may_read)) for one in listed],
        "telling": telling,
        "counts": [(value, label, getattr(telling.progress, value)) for value, label in DeliveryState.choices],
        "state": state,
        "query": urlencode({"event": event.pk, "state": state}),
        "may_read": may_read,
    }


@role_required(Role.EDITOR)
@require_POST
def retry(request: StaffRequest, code: str) -> HttpResponse:
    """The failed ones of `event` again: all, or only `delivery`. Then back to where one was in the list."""
    incident = _incident(request, code)
    event = get_object_or_404(incident.events.notifying(), pk=_number(request, "event"))
    only = _number(request, "delivery") if "delivery" in request.POST else None
    done = retry_failed(event, actor=request.user.actor, only=only)
    if request.htmx:
        context = {"page": incident.page, "incident": incident} | _table(request, event)
        return fragment(request, "console/incidents/deliveries.html#table", context, *_said_of(done))
    add_flash_message(request, _said_of(done))
    kept = {name: request.GET[name] for name in ("state", "page") if request.GET.get(name)}
    return redirect(f"{console_url(request.page, 'deliveries', code)}?{urlencode({'event': event.pk} | kept)}")


def _said_of(done: RetryResult) -> list[FlashMessage]:
    said = [FlashMessage(f"{done.again} will be tried again now.")] if done.again else []
    if done.left:
        left = (
            f"{done.left} {'was' if done.left == 1 else 'were'} left alone: "
            "the subscriber is paused or gone, or a later update has reached them already."
        )
        said.append(FlashMessage(left, messages.WARNING))
    return said or [FlashMessage("There was nothing to try again.", messages.WARNING)]


@role_required(Role.EDITOR)
@require_POST
def audience(request: StaffRequest) -> HttpResponse:
    """For htmx: how many would be told of what the form holds. `kind` is the event's; a new one has no `incident`."""
    page = request.page
    code, kind = request.POST.get("incident", ""), request.POST.get("kind", "")
    incident = get_object_or_404(page.incidents.all(), public_id=code) if code else None
    named = [name.removeprefix(PREFIX) for name, value in request.POST.items() if name.startswith(PREFIX) and value]
    event_scope = event_scope_of_draft(incident, kind, page.components.active().with_public_ids(named))
    channels = Subscriber.objects.audience(page).matching(event_scope).by_channel()
    context = {"told": sum(channels.values()), "channels": channels if len(channels) > 1 else {}}
    return render(request, "console/incidents/_audience.html", context)


def _incident(request: StaffRequest, code: str) -> Incident:
    return get_object_or_404(request.page.incidents.with_details(), public_id=code)


def _number(request: StaffRequest, name: str) -> int:
    """0, which no row has, for what is no number."""
    typed = request.POST.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) < 19 else 0
