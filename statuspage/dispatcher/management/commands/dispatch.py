import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents import clock
from incidents.actions.scheduled_steps import run_due
from statuspage.dispatcher.loop import Dispatcher, deliver_everything, drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Installation
from statuspage.publishing import identity
from statuspage.publishing.identity import Verdict


class Command(BaseCommand):
    help = (
        "Starts and completes maintenances on time and sends notifications to subscribers. Runs until it is stopped."
        " Several dispatchers can run at the same time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        once = parser.add_mutually_exclusive_group()
        once.add_argument("--once", action="store_true", help="Process due work for a few seconds, then exit.")
        once.add_argument("--drain", action="store_true", help="Process due work until none is left, then exit.")

    def handle(self, *_args: Any, once: bool, drain: bool, **_options: Any) -> None:
        if drain:
            self.stdout.write(f"{_drain()} deliveries processed")
        elif once:
            if identity.check() is Verdict.UNDECIDED:
                raise CommandError(Installation.objects.current().reason)
            clock.synchronize()
            run_due(clock.now())
            fan_out_waiting()
            self.stdout.write(f"{deliver_everything()} deliveries processed")
        else:
            self._run()

    def _run(self) -> None:
        dispatcher = Dispatcher()

        def stop(_number: int, _frame: FrameType | None) -> None:
            dispatcher.stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        dispatcher.run()


_drain = drain
