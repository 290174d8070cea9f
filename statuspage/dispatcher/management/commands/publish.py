from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from statuspage.notifications.models import Installation
from statuspage.public import published_paths
from statuspage.publishing import identity
from statuspage.publishing.identity import Verdict
from statuspage.publishing.models import Publication
from statuspage.publishing.page_files import PageFiles, PartlyPublished, exclusive_writer, tree_of, write_hosts

BAR = 40


class Command(BaseCommand):
    help = "Renders all public pages again and shows the progress. The dispatcher does this automatically when needed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--page", metavar="PUBLIC_ID", help="publish only the page with this public ID")

    def handle(self, *args: Any, **options: Any) -> None:
        if identity.check() in {Verdict.KEPT, Verdict.UNDECIDED}:
            raise CommandError(Installation.objects.current().reason)
        pages = list(Page.objects.order_by("pk"))
        write_hosts(pages)
        selected = [page for page in pages if options["page"] in (None, page.public_id)]
        if not selected:
            raise CommandError("No page has this public ID. Omit --page to publish all pages.")
        for page in selected:
            self._publish(page)

    def _publish(self, page: Page) -> None:
        tree = tree_of(page.public_id)
        with exclusive_writer(tree) as is_mine:
            if not is_mine:
                raise CommandError("The dispatcher is publishing this page. Try again when it has finished.")
            try:
                count = PageFiles(page, tree, published_paths).rebuild(on_progress=self._show_progress)
            except PartlyPublished as error:
                raise CommandError(str(error)) from error
        Publication.objects.succeeded(page, files=count)
        self.stdout.write(f"\r“{page}”: {count} files in {tree.root}".ljust(BAR + 30))

    def _show_progress(self, done: int, total: int) -> None:
        if self.stdout.isatty() and (done == total or not done % 20):
            filled = BAR * done // max(total, 1)
            self.stdout.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done} of {total}", ending="")
            self.stdout.flush()
