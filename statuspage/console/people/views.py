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
from statuspage.console.paging import back_to, paged, words_in, words_query
from statuspage.console.people.forms import PersonForm


@role_required(Role.OWNER)
def people_list(request: StaffRequest) -> HttpResponse:
    """Everybody who can sign in; a POST adds somebody and shows the password that was made, once."""
    page = request.page
    form = PersonForm(request.POST or None)
    if form.is_valid():
        try:
            user, password = user_actions.add(page, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            return _show_password(request, page, user, password, f"{user} can sign in")
    words = words_in(request)
    context = {
        "page": page,
        "listed": paged(User.objects.matching(words), request),
        "words": words,
        "query": words_query(words),
        "form": form,
        "roles": Role.choices,
    }
    return render_form(request, "console/people/list.html", context, form)


@role_required(Role.OWNER)
@require_POST
def change_role(request: StaffRequest, code: str) -> HttpResponse:
    user, page = _user(code), request.page
    role = request.POST.get("role", "")
    return _act(request, lambda: user_actions.change_role(page, user, role, by=request.user), f"{user} is {role} now.")


@role_required(Role.OWNER)
@require_POST
def set_active(request: StaffRequest, code: str) -> HttpResponse:
    """Switches off, or with `on` switches on again."""
    user, page, active = _user(code), request.page, "on" in request.POST
    said = f"{user} can sign in again." if active else f"{user} is switched off and signed out."
    return _act(request, lambda: user_actions.set_active(page, user, active=active, by=request.user), said)


@role_required(Role.OWNER)
@require_POST
def replace_password(request: StaffRequest, code: str) -> HttpResponse:
    user, page = _user(code), request.page
    if user == request.user:
        return redirect("account_change_password")
    password = user_actions.replace_password(page, user, by=request.user)
    return _show_password(request, page, user, password, f"A new password for {user}")


def _user(code: str) -> User:
    return get_object_or_404(User.objects.all(), pk=int(code) if code.isdecimal() and len(code) < 19 else 0)


def _act(request: StaffRequest, act: Callable[[], None], said: str) -> HttpResponse:
    try:
        act()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, said)
    # Who has just given up being an owner may not see the list any more.
    still_owner = User.objects.get(pk=request.user.pk).has_role(Role.OWNER)
    return back_to("people", request) if still_owner else redirect(console_url(request.page, "dashboard"))


def _show_password(request: StaffRequest, page: Page, user: User, password: str, title: str) -> HttpResponse:
    context = {"page": page, "person": user, "password": password, "title": title}
    return render(request, "console/people/password.html", context)
