from django.http import HttpResponse
from django.shortcuts import redirect, render

from statuspage.accounts import ratelimit
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.mailtest import MailTestForm
from statuspage.console.mailchecks import checklist
from statuspage.subscribers import mailtest
from statuspage.subscribers.models import MailTest

HOUR = 3600
TESTS_PER_HOUR = 20


@role_required(Role.OWNER)
def mail_test(request: StaffRequest) -> HttpResponse:
    """Sends a mail to the owner, or wherever they say, and shows how each step of it went. The result asks again by
    itself while the test runs, and has a link for who has no JavaScript."""
    page = current_page(request)
    form = MailTestForm(request.POST or None, initial={"to": request.user.email})
    if form.is_valid():
        if ratelimit.allow(f"mailtest:{request.user.pk}", TESTS_PER_HOUR, HOUR):
            mailtest.start(page, form.cleaned_data["to"], actor=request.user.actor)
            return redirect("console:mail_test")
        form.add_error("to", f"That were {TESTS_PER_HOUR} test mails in an hour. Please wait a little.")
    context = {"page": page, "form": form, "test": MailTest.objects.last_of(page), "checks": checklist()}
    template = "console/mail_test.html#result" if request.htmx else "console/mail_test.html"
    return render(request, template, context, status=422 if form.errors else 200)
