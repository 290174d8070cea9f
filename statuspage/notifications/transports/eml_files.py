"""The email backend without a mail server: writes `.eml` files, which the console links to."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from statuspage.common.data_folder import make_private_folder


class EmlBackend(BaseEmailBackend):
    """Writes each message to `settings.MAIL_DIR`, readable by its owner only. Names sort by time."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        make_private_folder(folder)
        for message in email_messages:
            raw = message.message().as_bytes()
            name = f"{timezone.now():%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}"
            unfinished = folder / f".{name}.part"
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(raw)
            unfinished.rename(folder / f"{name}.eml")
        return len(email_messages)
