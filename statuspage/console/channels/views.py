"""Channels beside e-mail: the endpoints that staff added, and the webhooks that visitors signed up."""

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
from statuspage.console.fields import sent
from statuspage.console.paging import paged, words_in, words_query
from statuspage.console.subscribers.subscriber_list import endpoint_list, newest_deliveries
from statuspage.notifications import endpoint_messages, resending
from statuspage.notifications.models import ChannelState, Delivery
from statuspage.notifications.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers import endpoints
from statuspage.subscribers.models import Channel, Subscriber

Act = Callable[..., Any]

# What a button on an endpoint's page does, and what is said then.
ACTS: dict[str, tuple[Act, str]] = {
    "test": (
        endpoint_messages.send_test,
        "Test message queued. The response appears below within a few seconds.",
    ),
    "pause": (endpoints.pause, "Nothing is sent there until you resume it."),
    "resume": (endpoint_messages.resume, "It is sent to again."),
}


@role_required(Role.VIEWER)
def channel_list(request: StaffRequest) -> HttpResponse:
    page = request.page
    may_edit, words = request.user.has_role(Role.EDITOR), words_in(request)
    context = {
        "page": page,
        "listed": paged(endpoint_list(page, words, by_address=may_edit), request),
        "words": words,
        "query": words_query(words),
        "kinds": [(channel, Channel(channel).label) for channel in ENDPOINT_TRANSPORTS],
        "channels": ChannelState.objects.in_trouble(),
        "may_edit": may_edit,
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
            added = endpoints.add(page, channel, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, f"{added} is added. Send a test message to see whether it arrives.")
            return redirect(console_url(request.page, "endpoint", added.public_id))
    context = {"page": page, "form": form, "channel": channel}
    return render_form(request, "console/channels/new.html", context, form)


@role_required(Role.VIEWER)
def endpoint(request: StaffRequest, code: str) -> HttpResponse:
    page = request.page
    return _show(request, page, _endpoint(page, code))


@role_required(Role.EDITOR)
@require_POST
def act(request: StaffRequest, code: str) -> HttpResponse:
    subscriber = _endpoint(request.page, code)
    verb, said = ACTS.get(request.POST.get("do", ""), (None, ""))
    if verb is None:
        raise Http404
    try:
        verb(subscriber, actor=request.user.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, said)
    return redirect(console_url(request.page, "endpoint", code))


@role_required(Role.EDITOR)
@require_POST
def new_secret(request: StaffRequest, code: str) -> HttpResponse:
    """Shows it, once."""
    page = request.page
    subscriber = _endpoint(page, code, channel=Channel.WEBHOOK)
    secret = endpoints.rotate_secret(subscriber, actor=request.user.actor)
    return _show(request, page, subscriber, secret=secret)


@role_required(Role.EDITOR)
def remove(request: StaffRequest, code: str) -> HttpResponse:
    """Asks first: what it was called with has to be typed again."""
    page = request.page
    subscriber = _endpoint(page, code)
    if request.method == "POST":
        endpoints.remove(subscriber, actor=request.user.actor)
        messages.success(request, f"{subscriber} is removed. Nothing is sent there any more.")
        return redirect(console_url(request.page, "channels"))
    return render(request, "console/channels/remove.html", {"page": page, "endpoint": subscriber})


@role_required(Role.EDITOR)
@require_POST
def replay(request: StaffRequest, code: str) -> HttpResponse:
    subscriber = _endpoint(request.page, code)
    number = request.POST.get("delivery", "")
    pk = int(number) if number.isdecimal() and len(number) < 19 else 0
    delivery = get_object_or_404(Delivery.objects.to_endpoint(subscriber), pk=pk)
    if resending.replay(delivery, actor=request.user.actor):
        messages.success(request, f"“{delivery.subject}” is sent once more.")
    else:
        messages.warning(request, f"“{delivery.subject}” is still waiting to be sent.")
    return redirect(console_url(request.page, "endpoint", code))


def _endpoint(page: Page, code: str, **more: str) -> Subscriber:
    return get_object_or_404(Subscriber.objects.endpoints(), page=page, public_id=code, **more)


def _show(request: StaffRequest, page: Page, subscriber: Subscriber, *, secret: str = "") -> HttpResponse:
    may_edit = request.user.has_role(Role.EDITOR)
    context = {
        "page": page,
        "endpoint": subscriber,
        "secret": secret,
        "listed": newest_deliveries(subscriber, number=request.GET.get("page")),
        "may_edit": may_edit,
        "query": "",
    }
    return render(request, "console/channels/channel.html", context)
