"""SMTP servers with errors, and helpers to read received emails."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

from pytest_django import Settings

from tests.servers import SmtpSink


def use_server(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_TIMEOUT = 10


def mails_to(sink: SmtpSink, address: str) -> list[EmailMessage]:
    return [parsed(received.raw) for received in sink.to(address)]


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def part(message: EmailMessage, kind: str) -> str:
    """Return the part of `kind`: `plain` or `html`."""
    body = message.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text.replace("\r\n", "\n")


class SenderRefusingSink(SmtpSink):
    """Refuses every MAIL FROM."""

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, _envelope: Any, _address: str, _options: Any
    ) -> str:
        return "553 5.7.1 Sender address rejected"


class ContentRefusingSink(SmtpSink):
    """Responds with `answer` to the text of every email."""

    answer = "554 5.7.1 Looks like spam"

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return self.answer


class DisconnectingSink(SmtpSink):
    """Disconnects after every `after` emails, and in the middle of the text of the first `cut` ones."""

    after = 2
    cut = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.cut:
            self.cut -= 1
            server.transport.abort()
            return "451 never heard"
        answer: str = await super().handle_DATA(server, session, envelope)
        session.accepted = getattr(session, "accepted", 0) + 1
        return answer

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if getattr(session, "accepted", 0) >= self.after:
            server.transport.abort()
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"
