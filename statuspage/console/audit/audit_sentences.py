"""Sentences for audit entries: "Ada Lovelace posted an update to “Checkout errors”", with old and new values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from incidents.models import AuditEntry, Component, ComponentGroup, Incident, IncidentUpdate, Page, Postmortem
from incidents.models.event_kinds import PROPERTIES
from statuspage.accounts.models import User
from statuspage.common.urls import console_url

# What the actor did, by verb; “{}” stands for the name of the object. A verb that is not in the table is spelled out.
PHRASES = {
    **{kind.value: properties.audit_sentence for kind, properties in PROPERTIES.items()},
    "postmortem.submitted": "requested approval of the postmortem of {}",
    "postmortem.approved": "approved the postmortem of {}",
    "postmortem.returned": "requested changes to the postmortem of {}",
    "postmortem.commented": "commented on the postmortem of {}",
    "postmortem.comment_settled": "resolved a comment on the postmortem of {}",
    "postmortem.comment_reopened": "reopened a comment on the postmortem of {}",
    "page.imported": "imported data into the page",
    "subscribers.exported": "exported all subscribers",
    "subscribers.imported": "imported subscribers",
    "subscriber.added": "added a subscriber",
    "subscriber.changed": "changed the preferences of a subscriber",
    "subscriber.paused": "paused a subscriber",
    "subscriber.resumed": "resumed a subscriber",
    "subscriber.unsubscribed": "unsubscribed a subscriber",
    "subscriber.links_reset": "reset the links of a subscriber",
    "subscriber.confirmation_resent": "resent a confirmation email to a subscriber",
    "person.added": "added {} to the team",
    "person.role": "changed the role of {}",
    "person.active": "changed whether {} can sign in",
    "person.password": "reset the password of {}",
    "person.signed_in": "signed in",
    "person.signed_out": "signed out",
    "person.sign_in_failed": "refused a wrong password for {}",
    "person.sign_in_blocked": "blocked sign-ins to {} after too many attempts",
    "person.unknown_failed": "refused a sign-in with an unknown email address",
    "person.unknown_blocked": "blocked sign-ins with an unknown email address after too many attempts",
    "person.password_changed": "changed their password",
    "person.password_reset": "set a new password with an emailed link",
    "person.session_ended": "signed out other devices",
    "person.mails": "changed the email settings of {}",
    "token.made": "created an API token",
    "token.revoked": "revoked an API token",
    "endpoint.added": "added a channel",
    "endpoint.paused": "paused a channel",
    "endpoint.resumed": "resumed a channel",
    "endpoint.removed": "removed a channel",
    "endpoint.secret": "rotated the secret of a channel",
    "endpoint.tested": "sent a test message to a channel",
    "delivery.replayed": "resent a notification to a channel",
    "deliveries.retried": "retried failed notifications for {}",
    "mail.tested": "sent a test email",
    "proposal.submitted": "proposed a change",
    "proposal.approved": "approved a proposed change",
    "proposal.rejected": "rejected a proposed change",
    "proposal.withdrawn": "withdrew a proposed change",
    "draft.submitted": "submitted a draft",
    "draft.approved": "approved a draft",
    "draft.taken_back": "took a draft back",
}
BATCH_SIZE = 500


@dataclass(frozen=True)
class AuditLine:
    """An audit entry as a sentence.

    before, name, after: the parts of the sentence that follow the actor; `name` is the object's.
    url: the object's console page, "" if it has none.
    details: label, old value and new value of each detail.
    """

    entry: AuditEntry
    before: str
    name: str
    after: str
    url: str
    details: list[tuple[str, str, str]]

    @property
    def sentence(self) -> str:
        return f"{self.entry.actor_label} {self.before}{f'“{self.name}”' if self.name else ''}{self.after}"


def lines(page: Page, entries: Iterable[AuditEntry]) -> list[AuditLine]:
    """Return a line for each entry. Needs six queries at most, whatever the number of entries."""
    entries = list(entries)
    names = _names(page, entries)
    return [_line(entry, *names.get((entry.object_type, entry.object_ref), ("", ""))) for entry in entries]


def iter_lines(page: Page, entries: Any) -> Iterator[AuditLine]:
    """Yield the lines of all entries, for a file. Only one batch is in memory at a time."""
    for batch in entries.in_batches(BATCH_SIZE):
        yield from lines(page, batch)


def phrase(verb: str) -> str:
    """Return the label of a verb in the filter, like “resolved …”."""
    return PHRASES.get(verb, _spell_out(verb)).format("…")


def _line(entry: AuditEntry, name: str, url: str) -> AuditLine:
    sentence = PHRASES.get(entry.verb, _spell_out(entry.verb))
    if entry.details.get("backfilled"):
        sentence = PHRASES["incident.backfilled"]
    if "{}" in sentence and not name:
        sentence = sentence.replace("{}", f"{entry.object_type} {entry.object_ref}")
    before, slot, after = sentence.partition("{}")
    shown = name if slot else ""
    return AuditLine(entry, before, shown, after, url if slot else "", list(_details(entry.details)))


def _spell_out(verb: str) -> str:
    object_type, _, action = verb.partition(".")
    return f"{action.replace('_', ' ')} ({object_type.replace('_', ' ')}) {{}}"


def _details(details: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield label, old and new value. Actions store `old` and `new`, `changed` and `before`, or `old_x` and `new_x`."""
    rest, before = dict(details), details.get("before")
    changed = details.get("changed", details.get("public"))
    if isinstance(before, dict):
        new = changed if isinstance(changed, dict) else details
        for name in ("before", "changed", "public", *before):
            rest.pop(name, None)
        yield from ((_label(name), _text(old), _text(new.get(name))) for name, old in before.items())
    if "old" in rest and "new" in rest:
        yield "Value", _text(rest.pop("old")), _text(rest.pop("new"))
    for name in [name for name in rest if name.startswith("old_") and f"new_{name[4:]}" in rest]:
        yield _label(name[4:]), _text(rest.pop(name)), _text(rest.pop(f"new_{name[4:]}"))
    yield from ((_label(name), "", _text(value)) for name, value in rest.items() if value not in ("", None, [], {}))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    return as_json(value)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _names(page: Page, entries: Iterable[AuditEntry]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the name and console URL of the objects of `entries`, by type and reference."""
    refs: dict[str, set[str]] = {}
    for entry in entries:
        refs.setdefault(entry.object_type, set()).add(entry.object_ref)
    names: dict[tuple[str, str], tuple[str, str]] = {}
    for object_type, read in READERS.items():
        if object_type in refs:
            names |= {(object_type, ref): name for ref, name in read(page, refs[object_type])}
    return names


def _incidents(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for incident in Incident.objects.with_public_ids(refs):
        yield incident.public_id, (incident.title, console_url(page, "incident", incident.public_id))


def _updates(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for update in IncidentUpdate.objects.with_public_ids(refs):
        incident = update.incident
        yield update.public_id, (incident.title, console_url(page, "incident", incident.public_id))


def _postmortems(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for postmortem in Postmortem.objects.with_keys(refs):
        incident = postmortem.incident
        yield str(postmortem.pk), (incident.title, console_url(page, "incident", incident.public_id))


def _components(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for component in Component.objects.with_public_ids(refs).select_related("group"):
        url = console_url(page, "component_history", component.public_id)
        yield component.public_id, (component.full_name, url)


def _groups(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for group in ComponentGroup.objects.filter(public_id__in=refs):
        yield group.public_id, (group.name, console_url(page, "edit_group", group.public_id))


def _users(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for user in User.objects.filter(pk__in=[ref for ref in refs if ref.isdecimal()]):
        yield str(user.pk), (str(user), "")


READERS = {
    "incident": _incidents,
    "incidentupdate": _updates,
    "postmortem": _postmortems,
    "component": _components,
    "componentgroup": _groups,
    "user": _users,
}
