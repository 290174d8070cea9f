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
from statuspage.console.subscribers.forms import AddForm
from statuspage.console.subscribers.subscriber_list import PER_PAGE, SubscriberFilter, address_of, directory
from statuspage.notifications.models import Delivery
from statuspage.subscribers import staff_actions
from statuspage.subscribers.forms import SCOPES, PreferencesForm
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.preferences import preferences_of, scope_labels

MAX_SEARCH = 254


@role_required(Role.VIEWER)
def subscriber_list(request: StaffRequest) -> HttpResponse:
    """Viewers see masked addresses, and cannot search: asking for an address would answer whether it is here."""
    page = request.page
    may_read = request.user.has_role(Role.EDITOR)
    narrowed = SubscriberFilter(
        state=request.GET.get("state", ""),
        channel=request.GET.get("channel", ""),
        scope=request.GET.get("scope", ""),
        search=request.GET.get("q", "").replace("\0", "").strip()[:MAX_SEARCH] if may_read else "",
    )
    context = {
        "page": page,
        "directory": directory(page, narrowed, number=request.GET.get("page"), masked=not may_read),
        "narrowed": narrowed,
        "query": _query(request, "state", "channel", "scope", "q"),
        "tail": _query(request, "channel", "scope", "q"),
        "channels": Channel.choices,
        "scopes": SCOPES,
        "may_read": may_read,
    }
    return render(request, "console/subscribers/list.html", context)


@role_required(Role.VIEWER)
def subscriber(request: StaffRequest, code: str) -> HttpResponse:
    """What they are told of, and all that was ever sent to them. A POST changes what they are told of."""
    found = _subscriber(request, code)
    if request.method == "POST":
        return _save_settings(request, found)
    return _subscriber_page(request, found)


@role_required(Role.EDITOR)
def add_subscriber(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = AddForm(sent(request), page=page, offered=page.components.active().in_page_order())
    if form.is_valid():
        email, preferences = form.cleaned_data["email"], form.cleaned_preferences()
        try:
            found = staff_actions.add(
                page, email, preferences=preferences, confirmed=form.is_confirmed, actor=request.user.actor
            )
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            asked = f"A mail on its way to {found.email} asks them to confirm."
            messages.success(request, f"{found.email} is told from now on." if found.is_active else asked)
            return redirect(console_url(request.page, "subscriber", found.public_id))
    context = {"page": page, "form": form}
    return render_form(request, "console/subscribers/add.html", context, form)


@role_required(Role.EDITOR)
def unsubscribe_subscriber(request: StaffRequest, code: str) -> HttpResponse:
    """Asks first: only the subscriber can undo it. Then back to where one was in the list."""
    page = request.page
    found = _subscriber(request, code)
    query = _query(request, "state", "channel", "scope", "q", "page")
    if request.method == "POST":
        staff_actions.unsubscribe(found, actor=request.user.actor)
        messages.success(request, f"{found} is unsubscribed and will not be told of anything more.")
        url = console_url(request.page, "subscribers")
        return redirect(f"{url}?{query}" if query else url)
    context = {"page": page, "subscriber": found, "query": query}
    return render(request, "console/subscribers/unsubscribe.html", context)


@role_required(Role.EDITOR)
@require_POST
def pause_subscriber(request: StaffRequest, code: str) -> HttpResponse:
    return _act(request, code, lambda found: staff_actions.pause(found, actor=request.user.actor), "Paused.")


@role_required(Role.EDITOR)
@require_POST
def resume_subscriber(request: StaffRequest, code: str) -> HttpResponse:
    return _act(
        request, code, lambda found: staff_actions.resume(found, actor=request.user.actor), "Told again from now on."
    )


@role_required(Role.EDITOR)
@require_POST
def resend_confirmation(request: StaffRequest, code: str) -> HttpResponse:
    found = _subscriber(request, code)
    try:
        owed = staff_actions.resend_confirmation(found, actor=request.user.actor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if owed:
            messages.success(request, "A mail that asks them to confirm is on its way.")
        else:
            messages.warning(request, "Such a mail went out in the last day already. One a day is the most.")
    return redirect(console_url(request.page, "subscriber", code))


def _act(request: StaffRequest, code: str, act: Callable[[Subscriber], None], said: str) -> HttpResponse:
    act(_subscriber(request, code))
    messages.success(request, said)
    return redirect(console_url(request.page, "subscriber", code))


def _save_settings(request: StaffRequest, found: Subscriber) -> HttpResponse:
    if not request.user.has_role(Role.EDITOR):
        return render(request, "console/forbidden.html", {"page": found.page, "role": Role.EDITOR}, status=403)
    form = _settings_form(found, request)
    if not form.is_valid():
        return _subscriber_page(request, found, form=form)
    staff_actions.change(found, form.cleaned_preferences(), actor=request.user.actor)
    messages.success(request, "Saved.")
    return redirect(console_url(request.page, "subscriber", found.public_id))


def _settings_form(found: Subscriber, request: StaffRequest) -> PreferencesForm:
    page = found.page
    components, open_incidents = page.components.active().in_page_order(), page.incidents.not_ended().newest_first()
    return PreferencesForm(
        sent(request), page=page, offered=components, open_incidents=open_incidents, preferences=preferences_of(found)
    )


def _subscriber_page(request: StaffRequest, found: Subscriber, *, form: PreferencesForm | None = None) -> HttpResponse:
    history = Delivery.objects.of_subscriber(found).with_story().newest_first()
    may_read = request.user.has_role(Role.EDITOR)
    preferences = preferences_of(found)
    listed = Paginator(history, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found.page,
        "subscriber": found,
        "address": address_of(found, masked=not may_read),
        "preferences": preferences,
        "scope": scope_labels(preferences),
        "form": form or (_settings_form(found, request) if may_read else None),
        "listed": listed,
        "rows": [(delivery, "") for delivery in listed],
        "query": "",
        "may_read": may_read,
    }
    return render(request, "console/subscribers/subscriber.html", context, status=422 if form else 200)


def _subscriber(request: StaffRequest, code: str) -> Subscriber:
    everybody = Subscriber.objects.with_preferences().select_related("page")
    return get_object_or_404(everybody, page=request.page, public_id=code)


def _query(request: StaffRequest, *names: str) -> str:
    return urlencode({name: request.GET[name][:MAX_SEARCH] for name in names if request.GET.get(name)})
