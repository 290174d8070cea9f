from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from incidents.models import Page
from statuspage.publishing.models import Publication
from statuspage.publishing.publisher import PartlyPublished, rebuild, tree_of, write_hosts, writing

BAR = 40


class Command(BaseCommand):
    help = "Write every public page anew. The dispatcher does this by itself when it has to; this shows the progress."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--page", metavar="CODE", help="only the page with this code")

    def handle(self, *args: Any, **options: Any) -> None:
        pages = list(Page.objects.order_by("pk"))
        write_hosts(pages)
        wanted = [page for page in pages if options["page"] in (None, page.public_id)]
        if not wanted:
            raise CommandError("There is no such page. Leave --page out to publish all.")
        for page in wanted:
            self._publish(page)

    def _publish(self, page: Page) -> None:
        tree = tree_of(page.public_id)
        with writing(tree) as is_mine:
            if not is_mine:
                raise CommandError("The dispatcher is publishing at this moment. Try again when it is done.")
            try:
                count = rebuild(page, tree, tell=self._tell)
            except PartlyPublished as error:
                raise CommandError(str(error)) from error
        Publication.objects.succeeded(page, files=count)
        self.stdout.write(f"\r“{page}”: {count} files in {tree.root}".ljust(BAR + 30))

    def _tell(self, done: int, total: int) -> None:
        if self.stdout.isatty() and (done == total or not done % 20):
            filled = BAR * done // max(total, 1)
            self.stdout.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done} of {total}", ending="")
            self.stdout.flush()
