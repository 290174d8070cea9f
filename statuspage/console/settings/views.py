from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from incidents import colors
from incidents.actions.pages.logos import set_logo
from incidents.actions.pages.page_settings import edit_page
from incidents.models import Page, PageLogo
from statuspage.accounts.models import Role
from statuspage.common.uploads import accepts_files
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.fields import sent
from statuspage.console.settings.forms import SettingsForm
from statuspage.console.settings.logo_form import LogoForm
from statuspage.console.settings.proxy_notice import proxy_notice

SAVED = "Settings saved. The public page updates within a few seconds."


@role_required(Role.OWNER)
def page_settings(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = SettingsForm(sent(request), page=page)
    if form.is_valid():
        try:
            edit_page(page, actor=request.user.actor, **form.changes)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, SAVED)
            return redirect(console_url(request.page, "settings"))
    return _settings(request, page, form, LogoForm())


@role_required(Role.OWNER)
@require_POST
@accepts_files
def page_logo(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            set_logo(page, actor=request.user.actor, **form.pictures)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, SAVED)
            return redirect(console_url(request.page, "settings"))
    return _settings(request, page, SettingsForm(page=page), form)


def _settings(request: StaffRequest, page: Page, form: SettingsForm, logo_form: LogoForm) -> HttpResponse:
    context = {
        "page": page,
        "form": form,
        "logo_form": logo_form,
        "grounds": _grounds(page),
        "proxy_notice": proxy_notice(request),
    }
    status = 422 if form.errors or logo_form.errors else 200
    return render(request, "console/settings/page.html", context, status=status)


def _grounds(page: Page) -> list[tuple[str, PageLogo, bool]]:
    """Return background, logo, and whether the logo is legible there, for light and dark."""
    if not page.logo:
        return []
    dark = page.logo_dark or page.logo
    return [
        ("light", page.logo, page.logo.is_legible_on(colors.LIGHT[0])),
        ("dark", dark, dark.is_legible_on(colors.DARK[0])),
    ]
