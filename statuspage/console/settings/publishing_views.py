from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render

from incidents import clock
from incidents.text.wording import duration_text
from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.publishing.models import Publication


@role_required(Role.VIEWER)
def publishing(request: StaffRequest) -> HttpResponse:
    page = request.page
    publications = [(publication, _age(publication)) for publication in Publication.objects.of_page(page)]
    return render(request, "console/settings/publishing.html", {"page": page, "publications": publications})


def _age(publication: Publication) -> str:
    """Return how long ago it was published. The database's clock may be slightly ahead of this machine's."""
    if not publication.published_at:
        return "never"
    age = clock.now() - publication.published_at
    return f"{duration_text(age)} ago" if age > timedelta(minutes=1) else "less than a minute ago"
