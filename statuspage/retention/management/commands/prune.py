from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from statuspage.retention.models import Pruning
from statuspage.retention.pruning import prune
from statuspage.retention.rules import rules, size


class Command(BaseCommand):
    help = "Removes expired data. The dispatcher does this once an hour."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Show what would be removed, and remove nothing.")

    def handle(self, *_args: Any, dry_run: bool, **_options: Any) -> None:
        if not dry_run:
            prune()
        results = {pruning.rule: pruning.removed for pruning in Pruning.objects.all()}
        for rule in rules():
            number = size(rule.expired()) if dry_run else results[rule.name]
            outcome = "to remove" if dry_run else "removed"
            self.stdout.write(f"{rule.label} (kept {rule.duration}): {number:,} {outcome}")
