"""Find the page that the command line names."""

from django.core.management.base import CommandError

from incidents.models import Page


def page_with_public_id(public_id: str) -> Page:
    """Return the page. Raise CommandError, with the existing IDs, if there is none."""
    pages = Page.objects.order_by("pk")
    page = pages.filter(public_id=public_id).first()
    if page is None:
        known = ", ".join(f"{page.public_id} ({page})" for page in pages) or "none"
        raise CommandError(f"No page has the ID “{public_id}”. Existing pages: {known}.")
    return page
