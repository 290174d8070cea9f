import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseTrouble

from statuspage.notifications.bounces.inbound import receive


class Command(BaseCommand):
    help = "Read one returned mail or complaint from standard input, as a mail server pipes it in (docs/email.md)."
    requires_system_checks = []  # it runs once per mail

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipient", nargs="?", default="", help="The address it was sent to, if no header tells.")

    def handle(self, *_args: Any, recipient: str, **_options: Any) -> None:
        """Exit code 0, whatever came in; EX_TEMPFAIL (sysexits.h) while the database is away: try again later."""
        try:
            self.stdout.write(receive(sys.stdin.buffer, envelope_to=recipient))
        except (DatabaseTrouble, OSError) as error:
            raise CommandError(f"Cannot be recorded now: {error}", returncode=os.EX_TEMPFAIL) from error
