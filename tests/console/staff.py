"""A member of staff at a browser without JavaScript: opens a page, fills in a form as it came, presses a button."""

from typing import Any

from django.test import Client

from statuspage.accounts.models import Role
from tests.factories import make_user
from tests.public.parsed_page import Element, parse

Fields = dict[str, list[str]]


def signed_in(role: str = Role.EDITOR, **more: Any) -> Client:
    client = Client()
    client.force_login(make_user(role, **more))
    return client


def parsed_page(answer: Any) -> Element:
    """The answer's page as a tree."""
    return parse(answer.content.decode())


def form_to(document: Element, action: str = "") -> Element:
    """The form that is sent to `action`; "" is the form that is sent to the page's own address."""
    (form,) = [form for form in document.all("form") if form.attributes.get("action", "") == action]
    return form


def fields_of(form: Element) -> Fields:
    """What a browser would send if nothing were touched, without buttons."""
    fields: Fields = {}
    for control in form.walk():
        name = control.attributes.get("name")
        if name and control.tag in ("input", "select", "textarea"):
            fields.setdefault(name, []).extend(_values(control))
    return {name: values for name, values in fields.items() if values}


def _values(control: Element) -> list[str]:
    if control.tag == "textarea":
        return [_raw(control).removeprefix("\n")]
    if control.tag == "select":
        options = control.all("option")
        chosen = [option for option in options if "selected" in option.attributes] or options[:1]
        return [option.attributes["value"] for option in chosen]
    if control.attributes.get("type") in ("checkbox", "radio"):
        return [control.attributes.get("value", "on")] if "checked" in control.attributes else []
    return [control.attributes.get("value", "")]


def _raw(element: Element) -> str:
    return "".join(piece for piece in element.content if isinstance(piece, str))


def fill_in(client: Client, path: str, action: str = "", **typed: Any) -> Fields:
    """Open `path` and fill in its form. A field typed as None is one that was emptied or unticked."""
    fields: dict[str, Any] = {**fields_of(form_to(parsed_page(client.get(path)), action)), **typed}
    return {name: value if isinstance(value, list) else [value] for name, value in fields.items() if value is not None}


def invalid_controls(document: Element) -> list[Element]:
    """Every control that is marked as wrong, each tied to an error that stands on the page."""
    wrong = [element for element in document.walk() if element.attributes.get("aria-invalid") == "true"]
    ids = {element.attributes["id"]: element for element in document.walk() if "id" in element.attributes}
    for control in wrong:
        described_by = control.attributes["aria-describedby"].split()
        assert all(name in ids for name in described_by), described_by
        assert any("error" in ids[name].classes and ids[name].text for name in described_by)
    return wrong
