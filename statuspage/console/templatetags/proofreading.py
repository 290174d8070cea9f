from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.http import urlencode

from incidents.models import Page
from statuspage.common.urls import console_url
from statuspage.console.proofreading.remarks import RemarkLine, Subject, lines_about, subject_of

register = template.Library()


@dataclass(frozen=True)
class ProofreaderPanel:
    """The URL that returns remarks on a form, and the remarks on its current text."""

    url: str
    lines: list[RemarkLine]


@register.simple_tag(takes_context=True)
def proofreader(context: dict[str, Any], form: Any) -> ProofreaderPanel:
    """`{% proofreader form as proof %}`. Checks submitted or published text; an empty form is not checked."""
    page: Page = context["page"]
    subject = subject_of(form, page)
    editor = context.get("editor")
    has_text = form.is_bound or subject.update
    if editor is not None:  # a postmortem
        subject = Subject(page, subject.typed, editor.incident, is_postmortem=True)
        has_text = form.is_bound or editor.postmortem
    return ProofreaderPanel(_url(subject), lines_about(subject) if has_text else [])


def _url(subject: Subject) -> str:
    about = {
        "update": subject.update.public_id if subject.update else "",
        "incident": subject.incident.public_id if subject.incident and not subject.update else "",
        "prefix": subject.prefix,
        "postmortem": "1" if subject.is_postmortem else "",
    }
    query = urlencode({name: value for name, value in about.items() if value})
    return f"{console_url(subject.page, 'remarks')}?{query}" if query else console_url(subject.page, "remarks")
