"""Pages as people name them on a command line."""

from django.core.management.base import CommandError

from incidents.models import Page


def page_with_code(code: str) -> Page:
    """CommandError, with the codes that there are, if there is none."""
    pages = Page.objects.order_by("pk")
    page = pages.filter(public_id=code).first()
    if page is None:
        known = ", ".join(f"{page.public_id} ({page})" for page in pages) or "none"
        raise CommandError(f"There is no page with the code “{code}”. There are: {known}.")
    return page
