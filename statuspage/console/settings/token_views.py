from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST

from statuspage.accounts import tokens
from statuspage.accounts.models import Role
from statuspage.common.urls import absolute_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.confirm_password import password_required
from statuspage.console.paging import back_to, paged
from statuspage.console.settings.token_form import TokenForm


@role_required(Role.OWNER)
@password_required
def token_list(request: StaffRequest) -> HttpResponse:
    """List the page's API tokens. A POST creates one and shows its secret, once."""
    page = request.page
    form = TokenForm(request.POST or None)
    if form.is_valid():
        try:
            token, secret = tokens.create(page, actor=request.user.actor, **form.cleaned_data)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            context = {"page": page, "token": token, "secret": secret, "address": absolute_url(page, "")}
            return render(request, "console/settings/token_made.html", context)
    context = {"page": page, "listed": paged(page.api_tokens.newest_first(), request), "form": form}
    return render_form(request, "console/settings/tokens.html", context, form)


@role_required(Role.OWNER)
@require_POST
def revoke_token(request: StaffRequest, public_id: str) -> HttpResponse:
    token = get_object_or_404(request.page.api_tokens.all(), public_id=public_id)
    tokens.revoke(token, actor=request.user.actor)
    messages.success(request, f"Token “{token}” was revoked.")
    return back_to("tokens", request)
