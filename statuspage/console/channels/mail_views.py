from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render

from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.channels import mail_files
from statuspage.console.paging import words_in, words_query
from statuspage.console.subscribers.subscriber_list import failed_deliveries, latest_bounces
from statuspage.notifications.models import BounceKind, ChannelState


@role_required(Role.EDITOR)
def mail_list(request: StaffRequest) -> HttpResponse:
    """The mails that became files; with a mail server, how that server is doing."""
    page = request.page
    bounces, words = latest_bounces(page), words_in(request)
    context = {
        "page": page,
        "mail_server": _mail_server(),
        "drawer": None if settings.EMAIL_URL else mail_files.mail_files(request.GET.get("page"), words),
        "words": words,
        "query": words_query(words),
        "searched": mail_files.SEARCHED,
        "channels": ChannelState.objects.in_trouble(),
        "failed": failed_deliveries(page),
        "bounces": bounces,
        "refused_for_us": sum(bounce.kind == BounceKind.POLICY for bounce in bounces),
        "may_read_accounts": request.user.has_role(Role.OWNER),
    }
    return render(request, "console/channels/mail_files.html", context)


@role_required(Role.EDITOR)
def mail(request: StaffRequest, name: str) -> HttpResponse:
    found = _readable(request, name)
    return render(request, "console/channels/mail_file.html", {"page": request.page, "mail": found})


@role_required(Role.EDITOR)
def mail_source(request: StaffRequest, name: str) -> HttpResponse:
    """As text: whatever stands in it, the browser only shows it."""
    found = _readable(request, name)
    return HttpResponse(mail_files.source(found.name), content_type="text/plain; charset=utf-8")


def _readable(request: StaffRequest, name: str) -> mail_files.MailFile:
    """Account mails are for owners: their links would let an editor become one."""
    found = mail_files.mail_file(name)
    if found is None or (found.is_account and not request.user.has_role(Role.OWNER)):
        raise Http404
    return found


def _mail_server() -> str:
    """Its name and port, without the credentials that stand in EMAIL_URL; empty if there is none."""
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_URL else ""
