"""Sends account mails beside the request: how long an answer takes must not tell whether there is such an account,
and a mail server that hangs must not hold the web process."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from django.core.mail import EmailMessage

logger = logging.getLogger(__name__)

_hands = ThreadPoolExecutor(max_workers=1, thread_name_prefix="account-mail")


def send_later(message: EmailMessage) -> Future[None]:
    """A failure is logged; whoever waits for the mail can ask for another."""
    return _hands.submit(_send, message)


def wait_until_sent() -> None:
    """Return when all mails handed over so far have been tried."""
    _hands.submit(lambda: None).result()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        logger.exception("An account mail could not be sent. Is EMAIL_URL right, and the mail server up?")
