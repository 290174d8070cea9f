from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render

from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.channels import mail_files
from statuspage.console.paging import search_query, search_terms
from statuspage.console.subscribers.subscriber_list import failed_deliveries, latest_bounces
from statuspage.notifications.models import BounceKind, ChannelState


@role_required(Role.EDITOR)
def mail_list(request: StaffRequest) -> HttpResponse:
    """Show the state of the mail server, or the emails written to files if none is configured."""
    page = request.page
    bounces, search = latest_bounces(page), search_terms(request)
    context = {
        "page": page,
        "mail_server": _mail_server(),
        "files": None if settings.EMAIL_URL else mail_files.mail_files(request.GET.get("page"), search),
        "search": search,
        "query": search_query(search),
        "searched": mail_files.SEARCHED,
        "channels": ChannelState.objects.in_trouble(),
        "failed": failed_deliveries(page),
        "bounces": bounces,
        "refused_for_us": sum(bounce.kind == BounceKind.POLICY for bounce in bounces),
    }
    return render(request, "console/channels/mail_files.html", context)


@role_required(Role.EDITOR)
def mail(request: StaffRequest, name: str) -> HttpResponse:
    mail_file = _readable(request, name)
    return render(request, "console/channels/mail_file.html", {"page": request.page, "mail": mail_file})


@role_required(Role.EDITOR)
def mail_source(request: StaffRequest, name: str) -> HttpResponse:
    """Return the source as plain text, so that the browser never renders it."""
    mail_file = _readable(request, name)
    return HttpResponse(mail_files.source(mail_file.name), content_type="text/plain; charset=utf-8")


def _readable(request: StaffRequest, name: str) -> mail_files.MailFile:
    """Return the email, or raise Http404. Only owners read account emails: their links set passwords."""
    mail_file = mail_files.mail_file(name)
    if mail_file is None or (mail_file.is_account and not request.user.has_role(Role.OWNER)):
        raise Http404
    return mail_file


def _mail_server() -> str:
    """Return host and port of the mail server, without credentials; "" if none is configured."""
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_URL else ""
