from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from incidents.models import Page
from statuspage.importers.demo.seeding import PageNotEmpty, seed
from statuspage.importers.find_page import page_with_public_id

DEFAULT_SEED = 2022


class Command(BaseCommand):
    help = (
        "Fill an empty page with a demo: a fictional company with two years of incidents. Without a page, one is"
        " created."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--page", metavar="ID", help="the ID of the page; default: the first page")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="the same seed and --now give the same page")
        parser.add_argument(
            "--now", type=_moment, metavar="ISO", help="the present time of the demo; not in the future"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = options["now"] or timezone.now()
        if now > timezone.now():
            raise CommandError(f"--now is in the future: {now.isoformat()}.")
        log = self.stdout.write if options["verbosity"] >= 2 else _no_output
        page = page_with_public_id(options["page"]) if options["page"] else Page.objects.order_by("pk").first()
        try:
            page, counts = seed(page, seed=options["seed"], now=now, log=log)
        except PageNotEmpty:
            raise CommandError(
                f"“{page}” is not empty. Nothing was changed. Choose another page with --page, or use another DATA_DIR."
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
        raise ArgumentTypeError(f"“{text}” is not a valid time. Example: 2026-03-01T09:00:00Z.") from None
    if timezone.is_naive(moment):
        raise ArgumentTypeError(f"“{text}” has no time zone. Example: 2026-03-01T09:00:00Z.")
    return moment


def _no_output(message: str) -> None:
    pass
