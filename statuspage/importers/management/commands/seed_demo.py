from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from incidents.models import Page
from statuspage.importers.demo.seeding import PageNotEmpty, seed
from statuspage.importers.pages import page_with_code

DEFAULT_SEED = 2022


class Command(BaseCommand):
    help = (
        "Put a demo on an empty page: a fictional company with two years of incidents. Makes a page if there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--page", metavar="CODE", help="the page's code; without it, the install's first page")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="same seed and --now, same page")
        parser.add_argument(
            "--now", type=_moment, metavar="ISO", help="what the demo takes for the present (not later than now)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = options["now"] or timezone.now()
        if now > timezone.now():
            raise CommandError(f"--now lies in the future: {now.isoformat()}.")
        tell = self.stdout.write if options["verbosity"] >= 2 else _silent
        page = page_with_code(options["page"]) if options["page"] else Page.objects.order_by("pk").first()
        try:
            page, counts = seed(page, seed=options["seed"], now=now, tell=tell)
        except PageNotEmpty:
            raise CommandError(
                f"“{page}” is not an empty page, so the demo would mix with what is there. Nothing was changed."
                " Name another page with --page, or use another DATA_DIR."
            ) from None
        self.stdout.write(
            f"Demo page “{page}” ({page.public_id}): {counts.components} components, {counts.incidents} incidents with"
            f" {counts.updates} updates, {counts.maintenances} maintenances, {counts.postmortems} postmortems,"
            f" {counts.subscribers} subscribers."
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is not a time like 2026-03-01T09:00:00Z.") from None
    if timezone.is_naive(moment):
        raise ArgumentTypeError(f"“{text}” needs a time zone, as in 2026-03-01T09:00:00Z.")
    return moment


def _silent(message: str) -> None:
    pass
