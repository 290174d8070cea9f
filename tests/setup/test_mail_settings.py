"""Settings that cannot work are named at the start, and not when the first mail comes back."""

import os
import subprocess
import sys

import pytest

from tests.live import ROOT


def complaint(**knobs: str) -> str:
    """The last line of a start with these knobs; empty if it starts."""
    command = [sys.executable, "-c", "import statuspage.settings"]
    done = subprocess.run(command, env=os.environ | knobs, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"BOUNCE_ADDRESS": "bounce"}, "BOUNCE_ADDRESS must be like bounce@status.example.com"),
        ({"BOUNCE_ADDRESS": "a b@example.com"}, "BOUNCE_ADDRESS must be like"),
        ({"BOUNCE_ADDRESS": "bounce@exa<mple.com"}, "BOUNCE_ADDRESS must be like"),
        ({"BOUNCE_ADDRESS": f"{'b' * 39}@example.com"}, "at most 38 characters before @"),
        ({"EMAIL_PROVIDER": "pigeon"}, "EMAIL_PROVIDER must be one of brevo, mailgun, mailjet, postmark, sparkpost."),
        ({"METRICS_TOKEN": "too short"}, "METRICS_TOKEN must have at least 16 characters"),
        ({"ANYMAIL_WEBHOOK_SECRET": "secret"}, "ANYMAIL_WEBHOOK_SECRET must be a user name and a password"),
    ],
)
def test_a_knob_that_cannot_work_is_named(knobs: dict[str, str], message: str) -> None:
    assert message in complaint(**knobs)


def test_knobs_that_can_work_start() -> None:
    knobs = {"BOUNCE_ADDRESS": "bounce@status.example.com", "EMAIL_PROVIDER": "Postmark"}
    assert complaint(**knobs, ANYMAIL_WEBHOOK_SECRET="candor:secret") == ""
