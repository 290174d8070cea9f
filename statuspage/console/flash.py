"""What an htmx answer has to say goes into the one live region of the page, beside the fragment that was asked for."""

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
    """`level` as of Django's messages. `is_seen`: the page shows it anyway, so it is only read out."""

    text: str
    level: int = messages.SUCCESS
    is_seen: bool = False

    @property
    def tag(self) -> str:
        return DEFAULT_TAGS[self.level]


def fragment(request: HttpRequest, template: str, context: dict[str, Any], *said: FlashMessage) -> HttpResponse:
    answer = render(request, template, context)
    if said:
        answer.write(render_to_string("console/_flash.html", {"said": said}))
    return answer


def add_flash_message(request: HttpRequest, said: Sequence[FlashMessage]) -> None:
    """The same on the next full page."""
    for one in said:
        messages.add_message(request, one.level, one.text)
