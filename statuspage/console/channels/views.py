"""Channels beside e-mail: the endpoints that staff new, and the webhooks that visitors signed up."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.models import Page
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.channels.forms import EndpointForm
from statuspage.console.confirm_password import password_required
from statuspage.console.fields import sent
from statuspage.console.paging import paged, search_query, search_terms
from statuspage.console.subscribers.subscriber_list import endpoint_list, newest_deliveries
from statuspage.notifications import endpoint_messages, resending
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers import endpoints, staff_actions
from statuspage.subscribers.models import Channel, Subscriber

Action = Callable[..., Any]

# The action of each button on an endpoint's page, and its success message.
ACTIONS: dict[str, tuple[Action, str]] = {
    "test": (endpoint_messages.send_test, "Test message queued. The response appears below within a few seconds."),
    "pause": (endpoints.pause, "Channel paused."),
    "reset_links": (staff_actions.reset_links, "Links reset. Earlier links to manage this webhook no longer work."),
    "resume": (endpoint_messages.resume, "Channel resumed."),
}


@role_required(Role.VIEWER)
def channel_list(request: StaffRequest) -> HttpResponse:
    page = request.page
    can_edit, search = request.user.has_role(Role.EDITOR), search_terms(request)
    context = {
        "page": page,
        "listed": paged(endpoint_list(page, search, by_address=can_edit), request),
        "search": search,
        "query": search_query(search),
        "kinds": [(channel, Channel(channel).label) for channel in ENDPOINT_TRANSPORTS],
        "channels": ChannelState.objects.in_trouble(),
        "can_edit": can_edit,
    }
    return render(request, "console/channels/list.html", context)


@role_required(Role.EDITOR)
def new_endpoint(request: StaffRequest, kind: str) -> HttpResponse:
    page = request.page
    if kind not in ENDPOINT_TRANSPORTS:
        raise Http404
    channel = Channel(kind)
    form = EndpointForm(sent(request), channel=channel)
    if form.is_valid():
        try:
            new = endpoints.add(page, channel, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, f"{new} connected. Send a test message to check that it arrives.")
            return redirect(console_url(request.page, "endpoint", new.public_id))
    context = {"page": page, "form": form, "channel": channel}
    return render_form(request, "console/channels/new.html", context, form)


@role_required(Role.VIEWER)
def endpoint(request: StaffRequest, public_id: str) -> HttpResponse:
    page = request.page
    return _show(request, page, _endpoint(page, public_id))


@role_required(Role.EDITOR)
@require_POST
def act(request: StaffRequest, public_id: str) -> HttpResponse:
    subscriber = _endpoint(request.page, public_id)
    action, message = ACTIONS.get(request.POST.get("do", ""), (None, ""))
    if action is None:
        raise Http404
    try:
        action(subscriber, actor=request.user.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, message)
    return redirect(console_url(request.page, "endpoint", public_id))


@role_required(Role.EDITOR)
@require_POST
@password_required
def new_secret(request: StaffRequest, public_id: str) -> HttpResponse:
    """Rotate the signing secret and show the new one, once."""
    page = request.page
    subscriber = _endpoint(page, public_id, channel=Channel.WEBHOOK)
    secret = endpoints.rotate_secret(subscriber, actor=request.user.actor)
    return _show(request, page, subscriber, secret=secret)


@role_required(Role.EDITOR)
def remove(request: StaffRequest, public_id: str) -> HttpResponse:
    """Ask for confirmation: adding the endpoint again requires its URL and secret."""
    page = request.page
    subscriber = _endpoint(page, public_id)
    if request.method == "POST":
        endpoints.remove(subscriber, actor=request.user.actor)
        messages.success(request, f"{subscriber} removed.")
        return redirect(console_url(request.page, "channels"))
    return render(request, "console/channels/remove.html", {"page": page, "endpoint": subscriber})


@role_required(Role.EDITOR)
@require_POST
def replay(request: StaffRequest, public_id: str) -> HttpResponse:
    subscriber = _endpoint(request.page, public_id)
    number = request.POST.get("delivery", "")
    pk = int(number) if number.isdecimal() and len(number) < 19 else 0
    delivery = get_object_or_404(Delivery.objects.to_endpoint(subscriber), pk=pk)
    if resending.replay(delivery, actor=request.user.actor):
        messages.success(request, f"“{delivery.subject}” queued again.")
    else:
        messages.warning(request, f"“{delivery.subject}” is already queued.")
    return redirect(console_url(request.page, "endpoint", public_id))


def _endpoint(page: Page, public_id: str, **more: str) -> Subscriber:
    return get_object_or_404(Subscriber.objects.endpoints(), page=page, public_id=public_id, **more)


def _show(request: StaffRequest, page: Page, subscriber: Subscriber, *, secret: str = "") -> HttpResponse:
    can_edit = request.user.has_role(Role.EDITOR)
    context = {
        "page": page,
        "endpoint": subscriber,
        "secret": secret,
        "listed": newest_deliveries(subscriber, page_number=request.GET.get("page")),
        "can_edit": can_edit,
        "query": "",
    }
    return render(request, "console/channels/channel.html", context)
