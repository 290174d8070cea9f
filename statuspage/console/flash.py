"""Messages of an htmx response. They are added to the live region of the page, next to the requested fragment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.messages.constants import DEFAULT_TAGS
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


@dataclass(frozen=True)
class FlashMessage:
    """`level` is a level of Django's messages. `is_seen`: the page shows it anyway; only screen readers announce it."""

    text: str
    level: int = messages.SUCCESS
    is_seen: bool = False

    @property
    def tag(self) -> str:
        return DEFAULT_TAGS[self.level]


def fragment(
    request: HttpRequest, template: str, context: dict[str, Any], *flash_messages: FlashMessage
) -> HttpResponse:
    answer = render(request, template, context)
    if flash_messages:
        answer.write(render_to_string("console/_flash.html", {"flash_messages": flash_messages}))
    return answer


def add_flash_message(request: HttpRequest, flash_messages: Sequence[FlashMessage]) -> None:
    """Show the messages on the next full page."""
    for message in flash_messages:
        messages.add_message(request, message.level, message.text)
