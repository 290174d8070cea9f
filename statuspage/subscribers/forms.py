"""What people are asked: an address, and what they want to be told of. Drawn by subscribers/_wishes.html."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

from incidents.models import Component, ComponentGroup, Incident, Page
from statuspage.notifications.transports.http import web_address
from statuspage.subscribers.models import Detail
from statuspage.subscribers.preferences import KINDS, Preferences

WHOLE_PAGE, SELECTED = "page", "selected"
SCOPES = [(WHOLE_PAGE, "Everything on this page"), (SELECTED, "Only some of it")]


class EmailField(forms.EmailField):
    def __init__(self, **more: Any) -> None:
        messages = {
            "required": "Please type your e-mail address.",
            "invalid": "This is not a whole e-mail address. It should look like ada@example.com.",
            "max_length": "This is longer than an e-mail address can be.",
        }
        super().__init__(max_length=254, **{"error_messages": messages} | more)


@dataclass(frozen=True)
class Section:
    """A group that can be chosen whole, with its members; or (`group` None) loose components."""

    group: ComponentGroup | None
    components: list[Component]


class PreferencesForm(forms.Form):
    """`offered` are the page's components that this reader may see, `open_incidents` what may be followed alone. What
    `preferences` hold already can always be kept.

    A form without `scope` was sent by something that does not ask: it means the defaults. One without zone and language
    leaves them as they are.
    """

    scope = forms.ChoiceField(label="News about", choices=SCOPES, widget=forms.RadioSelect, required=False)
    kinds = forms.MultipleChoiceField(label="Kinds of news", choices=list(KINDS.items()), required=False)
    detail = forms.ChoiceField(label="How much", choices=Detail.choices, widget=forms.RadioSelect, required=False)
    time_zone = forms.ChoiceField(label="Time zone of the times in mails", required=False)
    language = forms.ChoiceField(label="Language of the mails", choices=lambda: settings.LANGUAGES, required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        page: Page,
        offered: Iterable[Component],
        open_incidents: Iterable[Incident] = (),
        preferences: Preferences | None = None,
        **more: Any,
    ) -> None:
        self.page = page
        self.preferences = preferences or Preferences()
        super().__init__(data, initial=_initial(self.preferences) | more.pop("initial", {}), **more)
        self.offered = list(dict.fromkeys([*offered, *self.preferences.components]))
        self.open_incidents = open_incidents
        self.fields["time_zone"].choices = _zone_choices(page, self.preferences)  # type: ignore[attr-defined]
        for name, known in (("groups", self.groups), ("components", self.components), ("incidents", self.incidents)):
            self.fields[name] = forms.MultipleChoiceField(
                required=False, choices=[(code, str(thing)) for code, thing in known.items()]
            )
            self.fields[name].error_messages["invalid_choice"] = "This is no longer on the page: %(value)s"

    @cached_property
    def groups(self) -> dict[str, ComponentGroup]:
        found = [*(one.group for one in self.offered if one.group), *self.preferences.groups]
        return {group.public_id: group for group in found}

    @cached_property
    def components(self) -> dict[str, Component]:
        return {component.public_id: component for component in self.offered}

    @cached_property
    def incidents(self) -> dict[str, Incident]:
        return {incident.public_id: incident for incident in [*self.open_incidents, *self.preferences.incidents]}

    @property
    def sections(self) -> list[Section]:
        """In page order, loose components together."""
        found: dict[ComponentGroup | None, Section] = {}
        for component in self.offered:
            found.setdefault(component.group, Section(component.group, [])).components.append(component)
        for group in self.groups.values():
            found.setdefault(group, Section(group, []))
        return list(found.values())

    @property
    def is_bare(self) -> bool:
        return "scope" not in self.data

    @property
    def has_languages(self) -> bool:
        return len(settings.LANGUAGES) > 1

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.is_bare:
            return cleaned
        if "kinds" in cleaned and not cleaned["kinds"]:
            self.add_error("kinds", "Choose at least one kind. To be told of nothing, unsubscribe.")
        nothing = not any(cleaned.get(name) for name in ("groups", "components", "incidents"))
        if cleaned.get("scope") == SELECTED and nothing and not self.errors:
            self.add_error("scope", ValidationError("Choose at least one part, or everything on this page."))
        return cleaned

    def cleaned_preferences(self) -> Preferences:
        """After `is_valid()`."""
        if self.is_bare:
            return self.preferences
        cleaned = self.cleaned_data
        return Preferences(
            whole_page=cleaned["scope"] != SELECTED,
            groups=tuple(self.groups[code] for code in cleaned["groups"]),
            components=tuple(self.components[code] for code in cleaned["components"]),
            incidents=tuple(self.incidents[code] for code in cleaned["incidents"]),
            **{f"tells_{kind}": kind in cleaned["kinds"] for kind in KINDS},
            detail=cleaned["detail"] or Detail.ALL,
            time_zone=cleaned["time_zone"] if "time_zone" in self.data else self.preferences.time_zone,
            language=cleaned["language"] or self.preferences.language,
        )


class AddressForm(forms.Form):
    email = EmailField()
    # People do not see it; programs that fill in every field do.
    website = forms.CharField(required=False)

    @property
    def is_from_a_program(self) -> bool:
        return bool(self.data.get("website"))


class CollapsibleForm(AddressForm, PreferencesForm):
    """Asks for an address; what to be told of is folded away."""

    @property
    def is_changed(self) -> bool:
        """Whether what is folded away should be shown: something was chosen there, or is wrong."""
        shown = {"scope", "groups", "components", "kinds", "detail"}
        return not self.is_bare and bool(shown.intersection([*self.changed_data, *self.errors]))


class SubscribeForm(CollapsibleForm):
    """An e-mail address alone."""


class WebhookForm(CollapsibleForm):
    endpoint = forms.CharField(
        strip=True,
        max_length=1000,
        error_messages={
            "required": "Please type the address that we should call.",
            "max_length": "This is longer than an address may be (1000 characters).",
        },
    )

    def clean_endpoint(self) -> Any:
        try:
            return web_address(self.cleaned_data["endpoint"])
        except ValidationError as error:
            raise ValidationError(error.messages) from None


def _initial(preferences: Preferences) -> dict[str, Any]:
    return {
        "scope": WHOLE_PAGE if preferences.whole_page else SELECTED,
        "groups": [group.public_id for group in preferences.groups],
        "components": [component.public_id for component in preferences.components],
        "incidents": [incident.public_id for incident in preferences.incidents],
        "kinds": preferences.kinds,
        "detail": preferences.detail,
        "time_zone": preferences.time_zone,
        "language": preferences.language,
    }


def _zone_choices(page: Page, preferences: Preferences) -> list[tuple[str, str]]:
    names = sorted({*time_zones(), preferences.time_zone} - {""})
    return [("", f"The page's: {page.zone_name}"), *((name, name.replace("_", " ")) for name in names)]


@cache
def time_zones() -> frozenset[str]:
    """The names that people know: `Europe/Berlin`, and not `posixrules` or `EST5EDT`."""
    return frozenset({"UTC", *filter(_is_a_place, zoneinfo.available_timezones())})


def _is_a_place(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))
