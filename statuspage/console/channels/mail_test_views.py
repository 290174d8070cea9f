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
from statuspage.notifications import mail_test as notifications_mail_test
from statuspage.notifications.models import MailTest

HOUR = 3600
TESTS_PER_HOUR = 20


@role_required(Role.OWNER)
def mail_test(request: StaffRequest) -> HttpResponse:
    """Send a test email and show the result of each step.

    The result polls while the test runs; without JavaScript, a link reloads it.
    """
    page = request.page
    form = MailTestForm(request.POST or None, initial={"to": request.user.email})
    if form.is_valid():
        if reason := _reason_to_wait(request, page):
            form.add_error("to", reason)
        else:
            notifications_mail_test.start(page, form.cleaned_data["to"], actor=request.user.actor)
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
    """Return the message for a person who waits for the result."""
    if test is None or test.is_running:
        return []
    text = "Test passed: the mail server accepted the email." if test.passed else "Test failed: the email was not sent."
    return [FlashMessage(text, is_seen=True)]


def _reason_to_wait(request: StaffRequest, page: Page) -> str:
    """Return why no test can start now, or ""."""
    last = MailTest.objects.last_of(page)
    if last and last.is_running:
        return "A test is still running. Wait for its result."
    if not ratelimit.allow(f"mailtest:{request.user.pk}", TESTS_PER_HOUR, HOUR):
        return f"You can send {TESTS_PER_HOUR} test emails per hour. Try again later."
    return ""
