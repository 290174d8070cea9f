import csv
import io
from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from incidents import clock
from incidents.models import Page
from incidents.models.audit import AuditEntryQuerySet
from incidents.text.wording import machine_time
from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.audit import audit_sentences
from statuspage.console.audit.forms import AuditFilter

PER_PAGE = 50
COLUMNS = ("time", "actor", "actor_kind", "verb", "sentence", "object_type", "object", "details")
# A spreadsheet reads a cell that starts with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@role_required(Role.EDITOR)
def audit(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = AuditFilter(request.GET, page=page)
    listed = Paginator(form.entries(), PER_PAGE).get_page(request.GET.get("page"))
    filters = request.GET.copy()
    filters.pop("page", None)
    context = {
        "page": page,
        "form": form,
        "listed": listed,
        "lines": audit_sentences.lines(page, listed),
        "query": filters.urlencode(),
    }
    context["is_filtered"] = any(filters.values())
    return render_form(request, "console/audit/audit.html", context, form)


@role_required(Role.EDITOR)
def audit_csv(request: StaffRequest) -> HttpResponseBase:
    """All entries that match the filter, as CSV (RFC 4180). Only one batch of them is in memory at a time."""
    form = AuditFilter(request.GET, page=request.page)
    response = StreamingHttpResponse(_csv_lines(request.page, form.entries()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{clock.now():%Y-%m-%d}.csv"'
    return response


def _csv_lines(page: Page, entries: AuditEntryQuerySet) -> Iterator[str]:
    yield "\ufeff" + _row(COLUMNS)
    for line in audit_sentences.iter_lines(page, entries):
        entry = line.entry
        actor = (machine_time(entry.created_at), entry.actor_label, entry.actor_kind)
        details = audit_sentences.as_json(entry.details)
        yield _row((*actor, entry.verb, line.sentence, entry.object_type, entry.object_ref, details))


def _row(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return buffer.getvalue()
