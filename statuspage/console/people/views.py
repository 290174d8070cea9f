from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.models import Page
from statuspage.accounts import user_actions
from statuspage.accounts.models import Role, User
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.confirm_password import password_required
from statuspage.console.paging import back_to, paged, search_query, search_terms
from statuspage.console.people.forms import PersonForm


@role_required(Role.OWNER)
@password_required
def people_list(request: StaffRequest) -> HttpResponse:
    """List everyone who can sign in. A POST adds a person and shows the generated password, once."""
    page = request.page
    form = PersonForm(request.POST or None)
    if form.is_valid():
        try:
            user, password = user_actions.add(page, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            return _show_password(request, page, user, password, f"{user} added")
    search = search_terms(request)
    context = {
        "page": page,
        "listed": paged(User.objects.matching(search), request),
        "search": search,
        "query": search_query(search),
        "form": form,
        "roles": Role.choices,
    }
    return render_form(request, "console/people/list.html", context, form)


@role_required(Role.OWNER)
@require_POST
@password_required
def change_role(request: StaffRequest, user_id: str) -> HttpResponse:
    user, page = _user(user_id), request.page
    role = request.POST.get("role", "")
    return _act(
        request,
        lambda: user_actions.change_role(page, user, role, by=request.user),
        f"Role of {user} changed to {role}.",
    )


@role_required(Role.OWNER)
@require_POST
@password_required
def set_active(request: StaffRequest, user_id: str) -> HttpResponse:
    """Deactivate the person, or reactivate them if the form has `on`."""
    user, page, active = _user(user_id), request.page, "on" in request.POST
    message = f"{user} reactivated." if active else f"{user} deactivated and signed out."
    return _act(request, lambda: user_actions.set_active(page, user, active=active, by=request.user), message)


@role_required(Role.OWNER)
@require_POST
@password_required
def replace_password(request: StaffRequest, user_id: str) -> HttpResponse:
    user, page = _user(user_id), request.page
    if user == request.user:
        return redirect("account_change_password")
    password = user_actions.replace_password(page, user, by=request.user)
    return _show_password(request, page, user, password, f"New password for {user}")


def _user(user_id: str) -> User:
    return get_object_or_404(User.objects.all(), pk=int(user_id) if user_id.isdecimal() and len(user_id) < 19 else 0)


def _act(request: StaffRequest, action: Callable[[], None], message: str) -> HttpResponse:
    try:
        action()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, message)
    # Owners who gave up their own role cannot see the list any more.
    still_owner = User.objects.get(pk=request.user.pk).has_role(Role.OWNER)
    return back_to("people", request) if still_owner else redirect(console_url(request.page, "dashboard"))


def _show_password(request: StaffRequest, page: Page, user: User, password: str, title: str) -> HttpResponse:
    context = {"page": page, "person": user, "password": password, "title": title}
    return render(request, "console/people/password.html", context)
