import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.models import Page
from statuspage.notifications.models import Installation
from statuspage.public import published_paths
from statuspage.publishing import identity
from statuspage.publishing.identity import Verdict
from statuspage.publishing.page_files import write_hosts
from statuspage.publishing.publisher import publish_everything

# Seconds to wait for a dispatcher that is publishing a page.
PATIENCE = 30.0


class Command(BaseCommand):
    help = "Decide whether to keep the database or the published pages when they do not belong together."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keep",
            required=True,
            choices=["database", "published"],
            help="database: publish everything again from the database, and send what is waiting. published: go on"
            " serving the published files; nothing is published from this database until --keep database.",
        )

    def handle(self, *_args: Any, keep: str, **_options: Any) -> None:
        if identity.check() is Verdict.MATCHES:
            raise CommandError("Nothing to decide: the database and the published pages belong together.")
        if keep == "published":
            Installation.objects.keep_published()
            self.stdout.write("The published pages are kept. Nothing is published from this database.")
            return
        pages = list(Page.objects.order_by("pk"))
        if not pages:
            raise CommandError("The database contains no page. Restore it, or keep the published pages.")
        if Installation.objects.current().mismatch:
            Installation.objects.keep_database()
        write_hosts(pages)
        give_up_at = time.monotonic() + PATIENCE
        while not publish_everything(pages, published_paths):
            if time.monotonic() > give_up_at:
                raise CommandError("The dispatcher is publishing. It publishes everything again when it has finished.")
            time.sleep(0.2)
        self.stdout.write("All pages were published again from the database.")
