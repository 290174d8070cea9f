"""Import subscribers from a CSV file, after a preview, and export them."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from incidents import clock
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.accounts.models import Role
from statuspage.common.uploads import accepts_files
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.fields import fill_in
from statuspage.console.subscribers.forms import AGREED, ImportForm
from statuspage.subscribers import csv_format, csv_import
from statuspage.subscribers.models import Subscriber

ERRORS_SHOWN, ROWS_SHOWN = 50, 20


@role_required(Role.EDITOR)
@accepts_files
def import_subscribers(request: StaffRequest) -> HttpResponse:
    """Show a preview of the file. The second button, `commit`, validates the file again and imports it."""
    page = request.page
    if request.method != "POST":
        return _import_page(request, page, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _import_page(request, page, form)
    text = form.cleaned_data["text"]
    sheet = csv_format.parse(page, text)
    if "commit" in request.POST and not sheet.errors:
        try:
            result = csv_import.import_rows(
                page, sheet.rows, confirmed=form.cleaned_data["by"] == AGREED, actor=request.user.actor
            )
        except IntegrityError:
            form.add_error(None, "Someone subscribed at the same time, so nothing was imported. Try again.")
        else:
            pending = f" {len(result.waiting)} unconfirmed updated." if result.waiting else ""
            messages.success(request, f"{_count(len(result.new))} added.{pending}")
            return redirect(console_url(request.page, "subscribers"))
    fill_in(form, text=text)
    return _import_page(request, page, form, sheet=sheet)


@role_required(Role.OWNER)
@require_POST
def export_subscribers(request: StaffRequest) -> HttpResponseBase:
    """Export all subscribers as CSV, with an audit entry. POST only, so that no link can start the export."""
    page = request.page
    note(page, "subscribers.exported", actor=request.user.actor, object_type="page", object_ref=page.public_id)
    subscribers = Subscriber.objects.of_page(page).with_preferences().order_by("pk")
    lines: Iterator[str] = csv_format.write(page, subscribers.iterator(chunk_size=1000))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="subscribers-{clock.now():%Y-%m-%d}.csv"'
    return response


def _import_page(
    request: StaffRequest, page: Page, form: ImportForm, *, sheet: csv_format.ParsedFile | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"page": page, "form": form, "sheet": sheet, "columns": csv_format.COLUMNS}
    if sheet:
        context |= {
            "errors": sheet.errors[:ERRORS_SHOWN],
            "more_errors": max(0, len(sheet.errors) - ERRORS_SHOWN),
            "plan": None if sheet.errors else csv_import.plan(page, sheet.rows),
            "rows": sheet.rows[:ROWS_SHOWN],
            "more_rows": max(0, len(sheet.rows) - ROWS_SHOWN),
        }
    is_invalid = bool(form.errors or (sheet and sheet.errors))
    return render(request, "console/subscribers/import.html", context, status=422 if is_invalid else 200)


def _count(number: int) -> str:
    return f"{number:,} subscriber{'' if number == 1 else 's'}"
