from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.subscribers.forms import AddForm, StaffPreferencesForm
from statuspage.console.subscribers.subscriber_list import PER_PAGE, SubscriberFilter, address_of, directory
from statuspage.notifications.models import Delivery
from statuspage.subscribers import staff_actions
from statuspage.subscribers.forms import SCOPES, PreferencesForm
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.preferences import preferences_of, scope_labels

MAX_SEARCH = 254


@role_required(Role.VIEWER)
def subscriber_list(request: StaffRequest) -> HttpResponse:
    """List the subscribers. Viewers see masked addresses and cannot search, which would reveal who is subscribed."""
    page = request.page
    can_edit = request.user.has_role(Role.EDITOR)
    filters = SubscriberFilter(
        state=request.GET.get("state", ""),
        channel=request.GET.get("channel", ""),
        scope=request.GET.get("scope", ""),
        search=request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH] if can_edit else "",
    )
    context = {
        "page": page,
        "directory": directory(page, filters, page_number=request.GET.get("page"), masked=not can_edit),
        "filters": filters,
        "query": _query(request, "state", "channel", "scope", "q"),
        "tail": _query(request, "channel", "scope", "q"),
        "channels": Channel.choices,
        "scopes": SCOPES,
    }
    return render(request, "console/subscribers/list.html", context)


@role_required(Role.VIEWER)
def subscriber(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show the preferences and deliveries of a subscriber. A POST changes the preferences."""
    subscriber = _subscriber(request, public_id)
    if request.method == "POST":
        return _save_settings(request, subscriber)
    return _subscriber_page(request, subscriber)


@role_required(Role.EDITOR)
def add_subscriber(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = AddForm(sent(request), page=page, offered=page.components.active().in_page_order())
    if form.is_valid():
        email, preferences = form.cleaned_data["email"], form.cleaned_preferences()
        try:
            subscriber = staff_actions.add(
                page, email, preferences=preferences, confirmed=form.is_confirmed, actor=request.user.actor
            )
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            pending = f"Confirmation email sent to {subscriber}."
            messages.success(request, f"{subscriber} subscribed." if subscriber.is_active else pending)
            return redirect(console_url(request.page, "subscriber", subscriber.public_id))
    context = {"page": page, "form": form}
    return render_form(request, "console/subscribers/add.html", context, form)


@role_required(Role.EDITOR)
def unsubscribe_subscriber(request: StaffRequest, public_id: str) -> HttpResponse:
    """Ask for confirmation, because only the subscriber can undo it. Then return to the same place in the list."""
    page = request.page
    subscriber = _subscriber(request, public_id)
    query = _query(request, "state", "channel", "scope", "q", "page")
    if request.method == "POST":
        staff_actions.unsubscribe(subscriber, actor=request.user.actor)
        messages.success(request, f"{subscriber} unsubscribed.")
        url = console_url(request.page, "subscribers")
        return redirect(f"{url}?{query}" if query else url)
    context = {"page": page, "subscriber": subscriber, "query": query}
    return render(request, "console/subscribers/unsubscribe.html", context)


@role_required(Role.EDITOR)
@require_POST
def pause_subscriber(request: StaffRequest, public_id: str) -> HttpResponse:
    return _act(
        request,
        public_id,
        lambda subscriber: staff_actions.pause(subscriber, actor=request.user.actor),
        "Subscriber paused.",
    )


@role_required(Role.EDITOR)
@require_POST
def resume_subscriber(request: StaffRequest, public_id: str) -> HttpResponse:
    return _act(
        request,
        public_id,
        lambda subscriber: staff_actions.resume(subscriber, actor=request.user.actor),
        "Subscriber resumed.",
    )


@role_required(Role.EDITOR)
@require_POST
def reset_subscriber_links(request: StaffRequest, public_id: str) -> HttpResponse:
    return _act(
        request,
        public_id,
        lambda subscriber: staff_actions.reset_links(subscriber, actor=request.user.actor),
        "Links reset. Earlier links to manage this subscription no longer work.",
    )


@role_required(Role.EDITOR)
@require_POST
def resend_confirmation(request: StaffRequest, public_id: str) -> HttpResponse:
    subscriber = _subscriber(request, public_id)
    try:
        is_sent = staff_actions.resend_confirmation(subscriber, actor=request.user.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if is_sent:
            messages.success(request, "Confirmation email sent.")
        else:
            messages.warning(request, "A confirmation email was sent in the last 24 hours. You can send one per day.")
    return redirect(console_url(request.page, "subscriber", public_id))


def _act(request: StaffRequest, public_id: str, action: Callable[[Subscriber], None], message: str) -> HttpResponse:
    action(_subscriber(request, public_id))
    messages.success(request, message)
    return redirect(console_url(request.page, "subscriber", public_id))


def _save_settings(request: StaffRequest, subscriber: Subscriber) -> HttpResponse:
    if not request.user.has_role(Role.EDITOR):
        return render(request, "console/forbidden.html", {"page": subscriber.page, "role": Role.EDITOR}, status=403)
    form = _settings_form(subscriber, request)
    if not form.is_valid():
        return _subscriber_page(request, subscriber, form=form)
    staff_actions.change(subscriber, form.cleaned_preferences(), actor=request.user.actor)
    messages.success(request, "Preferences saved.")
    return redirect(console_url(request.page, "subscriber", subscriber.public_id))


def _settings_form(subscriber: Subscriber, request: StaffRequest) -> PreferencesForm:
    page = subscriber.page
    components, open_incidents = page.components.active().in_page_order(), page.incidents.not_ended().newest_first()
    return StaffPreferencesForm(
        sent(request),
        page=page,
        offered=components,
        open_incidents=open_incidents,
        preferences=preferences_of(subscriber),
    )


def _subscriber_page(
    request: StaffRequest, subscriber: Subscriber, *, form: PreferencesForm | None = None
) -> HttpResponse:
    history = Delivery.objects.of_subscriber(subscriber).with_details().newest_first()
    can_edit = request.user.has_role(Role.EDITOR)
    preferences = preferences_of(subscriber)
    listed = Paginator(history, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": subscriber.page,
        "subscriber": subscriber,
        "address": address_of(subscriber, masked=not can_edit),
        "preferences": preferences,
        "scope": scope_labels(preferences),
        "form": form or (_settings_form(subscriber, request) if can_edit else None),
        "listed": listed,
        "rows": [(delivery, "") for delivery in listed],
        "query": "",
        "may_read": can_edit,
    }
    return render(request, "console/subscribers/subscriber.html", context, status=422 if form else 200)


def _subscriber(request: StaffRequest, public_id: str) -> Subscriber:
    subscribers = Subscriber.objects.with_preferences().select_related("page")
    return get_object_or_404(subscribers, page=request.page, public_id=public_id)


def _query(request: StaffRequest, *names: str) -> str:
    return urlencode({name: request.GET[name][:MAX_SEARCH] for name in names if request.GET.get(name)})
