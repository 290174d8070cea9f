from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.http import urlencode

from incidents.models import Page
from statuspage.common.urls import console_url
from statuspage.console.proofreading.remarks import Line, Subject, lines_about, subject_of

register = template.Library()


@dataclass(frozen=True)
class Desk:
    """Where remarks about a form's text are asked for, and those on what it holds already."""

    url: str
    lines: list[Line]


@register.simple_tag(takes_context=True)
def proofreader(context: dict[str, Any], form: Any) -> Desk:
    """`{% proofreader form as proof %}`. Reads what came back or was published; an empty form costs nothing."""
    page: Page = context["page"]
    subject = subject_of(form, page)
    desk = context.get("desk")
    is_worth_it = form.is_bound or subject.update
    if desk is not None:  # the postmortem's
        subject = Subject(page, subject.typed, desk.incident, is_postmortem=True)
        is_worth_it = form.is_bound or desk.postmortem
    return Desk(_url(subject), lines_about(subject) if is_worth_it else [])


def _url(subject: Subject) -> str:
    about = {
        "update": subject.update.public_id if subject.update else "",
        "incident": subject.incident.public_id if subject.incident and not subject.update else "",
        "prefix": subject.prefix,
        "postmortem": "1" if subject.is_postmortem else "",
    }
    asked = urlencode({name: value for name, value in about.items() if value})
    return f"{console_url(subject.page, 'remarks')}?{asked}" if asked else console_url(subject.page, "remarks")
