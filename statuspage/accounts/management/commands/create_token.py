from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents import clock
from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.accounts import tokens
from statuspage.accounts.models import Scope


class Command(BaseCommand):
    help = "Creates a token for the management API and prints it. The token is not shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="The name shown in the audit log. Example: “deploy script”.")
        parser.add_argument("--page", help="The public ID of the page. Required if there are several pages.")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=Scope.values,
            help="A permission of the token. Can be repeated.",
        )
        parser.add_argument(
            "--days", type=int, help="The number of days until it expires. By default it does not expire."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if days is not None and not 0 < days < 36_500:
            raise CommandError("--days must be at least 1.")
        expires_at = clock.now() + timedelta(days=days) if days else None
        try:
            _, secret = tokens.create(
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
            raise CommandError(f"Choose a page with --page. Available pages: {listed}.")
        return matches[0]
