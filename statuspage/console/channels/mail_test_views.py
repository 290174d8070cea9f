from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from incidents.models import Page
from statuspage.accounts import ratelimit
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.channels.deliverability import checklist
from statuspage.console.channels.mail_test_form import MailTestForm
from statuspage.console.flash import FlashMessage, fragment
from statuspage.notifications.bounces import smtp_test
from statuspage.notifications.models import MailTest

HOUR = 3600
TESTS_PER_HOUR = 20


@role_required(Role.OWNER)
def mail_test(request: StaffRequest) -> HttpResponse:
    """Sends a mail to the owner, or wherever they say, and shows how each step of it went. The result asks again by
    itself while the test runs, and has a link for who has no JavaScript."""
    page = request.page
    form = MailTestForm(request.POST or None, initial={"to": request.user.email})
    if form.is_valid():
        if why_not := _why_not(request, page):
            form.add_error("to", why_not)
        else:
            smtp_test.start(page, form.cleaned_data["to"], actor=request.user.actor)
            return redirect(console_url(request.page, "mail_test"))
    context: dict[str, Any] = {
        "page": page,
        "form": form,
        "test": MailTest.objects.last_of(page),
        "checks": checklist(),
    }
    if request.htmx:
        return fragment(request, "console/channels/mail_test.html#result", context, *_outcome(context["test"]))
    return render_form(request, "console/channels/mail_test.html", context, form)


def _outcome(test: MailTest | None) -> list[FlashMessage]:
    """For who waited for it."""
    if test is None or test.is_running:
        return []
    said = "The test is over: the mail server took the mail." if test.passed else "The test is over: it was not sent."
    return [FlashMessage(said, is_seen=True)]


def _why_not(request: StaffRequest, page: Page) -> str:
    """What speaks against another test now; empty if nothing does."""
    last = MailTest.objects.last_of(page)
    if last and last.is_running:
        return "The last test is still running. Please wait for its result."
    if not ratelimit.allow(f"mailtest:{request.user.pk}", TESTS_PER_HOUR, HOUR):
        return f"These were {TESTS_PER_HOUR} test mails in an hour. Please wait a little."
    return ""
