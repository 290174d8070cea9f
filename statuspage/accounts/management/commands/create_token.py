from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.accounts import tokens
from statuspage.accounts.models import Scope


class Command(BaseCommand):
    help = "Make a token for the management API and print it. It is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="What the audit log calls it, like “deploy script”.")
        parser.add_argument("--page", help="The id of the page that it is for; needed if there are several.")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=Scope.values,
            help="What it may do; may be given several times.",
        )
        parser.add_argument("--days", type=int, help="After how many days it expires. Without this, never.")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if days is not None and not 0 < days < 36_500:
            raise CommandError("--days must be at least 1.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            _, secret = tokens.make(
                self._page(options["page"]),
                name=options["name"],
                scopes=options["scope"],
                expires_at=expires_at,
                actor=SYSTEM,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(secret)

    def _page(self, public_id: str | None) -> Page:
        pages = list(Page.objects.order_by("pk"))
        if public_id is None and len(pages) == 1:
            return pages[0]
        matches = [page for page in pages if page.public_id == public_id]
        if not matches:
            listed = "; ".join(f"{page.public_id} ({page.name})" for page in pages) or "none: run manage.py setup first"
            raise CommandError(f"Say which page by --page. There are: {listed}.")
        return matches[0]
