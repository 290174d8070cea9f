"""The audit log as sentences that people read: who did what to which thing, and what it was before."""

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
    "postmortem.submitted": "asked for approval of the postmortem of {}",
    "postmortem.approved": "approved the postmortem of {}",
    "postmortem.returned": "gave the postmortem of {} back",
    "postmortem.commented": "commented on the postmortem of {}",
    "postmortem.comment_settled": "settled a comment on the postmortem of {}",
    "postmortem.comment_reopened": "opened a comment on the postmortem of {} again",
    "page.imported": "imported data into the page",
    "subscribers.exported": "exported all subscribers",
    "subscribers.imported": "imported subscribers",
    "subscriber.added": "added a subscriber",
    "subscriber.changed": "changed what a subscriber is told of",
    "subscriber.paused": "paused a subscriber",
    "subscriber.resumed": "resumed a subscriber",
    "subscriber.unsubscribed": "unsubscribed a subscriber",
    "subscriber.confirmation_resent": "sent a subscriber the confirmation again",
    "person.added": "let {} sign in",
    "person.role": "changed the role of {}",
    "person.active": "changed whether {} may sign in",
    "person.password": "gave {} a new password",
    "person.mails": "changed which mails {} gets",
    "token.made": "made an API token",
    "token.revoked": "revoked an API token",
    "endpoint.added": "added a channel",
    "endpoint.paused": "paused a channel",
    "endpoint.resumed": "resumed a channel",
    "endpoint.removed": "removed a channel",
    "endpoint.secret": "gave a channel a new secret",
    "endpoint.tested": "sent a test to a channel",
    "delivery.replayed": "sent a notification to a channel again",
    "deliveries.retried": "sent failed notifications of {} again",
    "mail.tested": "sent a test mail",
    "draft.submitted": "put a text on its way",
    "draft.approved": "approved a text",
    "draft.taken_back": "took a text back",
}
PIECE = 500


@dataclass(frozen=True)
class Line:
    """`url`: the page of the thing, empty if there is none. `details`: names and values, old beside new where known."""

    entry: AuditEntry
    before: str
    name: str
    after: str
    url: str
    details: list[tuple[str, str, str]]

    @property
    def sentence(self) -> str:
        return f"{self.entry.actor_label} {self.before}{f'“{self.name}”' if self.name else ''}{self.after}"


def lines(page: Page, entries: Iterable[AuditEntry]) -> list[Line]:
    """Six queries at most, however many entries."""
    entries = list(entries)
    names = _names(page, entries)
    return [_line(entry, *names.get((entry.object_type, entry.object_ref), ("", ""))) for entry in entries]


def in_pieces(page: Page, entries: Any) -> Iterator[Line]:
    """All of them, for a file; a piece is in memory at a time."""
    for piece in entries.in_pieces(PIECE):
        yield from lines(page, piece)


def phrase(verb: str) -> str:
    """What the filter calls it: “resolved …”."""
    return PHRASES.get(verb, _spelled(verb)).format("…")


def _line(entry: AuditEntry, name: str, url: str) -> Line:
    words = PHRASES.get(entry.verb, _spelled(entry.verb))
    if entry.details.get("backfilled"):
        words = PHRASES["incident.backfilled"]
    if "{}" in words and not name:
        words = words.replace("{}", f"{entry.object_type} {entry.object_ref}")
    before, slot, after = words.partition("{}")
    shown = name if slot else ""
    return Line(entry, before, shown, after, url if slot else "", list(_details(entry.details)))


def _spelled(verb: str) -> str:
    thing, _, did = verb.partition(".")
    return f"{did.replace('_', ' ')} ({thing.replace('_', ' ')}) {{}}"


def _details(details: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, old value, new value. Actions write `old` and `new`, `changed` and `before`, or `old_x` and `new_x`."""
    rest, before = dict(details), details.get("before")
    changed = details.get("changed", details.get("public"))
    if isinstance(before, dict):
        new = changed if isinstance(changed, dict) else details
        for name in ("before", "changed", "public", *before):
            rest.pop(name, None)
        yield from ((_label(name), _text(old), _text(new.get(name))) for name, old in before.items())
    if "old" in rest and "new" in rest:
        yield "Was, is", _text(rest.pop("old")), _text(rest.pop("new"))
    for name in [name for name in rest if name.startswith("old_") and f"new_{name[4:]}" in rest]:
        yield _label(name[4:]), _text(rest.pop(name)), _text(rest.pop(f"new_{name[4:]}"))
    yield from ((_label(name), "", _text(value)) for name, value in rest.items() if value not in ("", None, [], {}))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    return as_json(value)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _names(page: Page, entries: Iterable[AuditEntry]) -> dict[tuple[str, str], tuple[str, str]]:
    """Of what an entry is about, by type and reference: its name and the address of its page in the console."""
    refs: dict[str, set[str]] = {}
    for entry in entries:
        refs.setdefault(entry.object_type, set()).add(entry.object_ref)
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for kind, read in READERS.items():
        if kind in refs:
            found |= {(kind, ref): named for ref, named in read(page, refs[kind])}
    return found


def _incidents(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for incident in Incident.objects.with_codes(refs):
        yield incident.public_id, (incident.title, console_url(page, "incident", incident.public_id))


def _updates(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for update in IncidentUpdate.objects.with_codes(refs):
        incident = update.incident
        yield update.public_id, (incident.title, console_url(page, "incident", incident.public_id))


def _postmortems(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for one in Postmortem.objects.with_keys(refs):
        yield str(one.pk), (one.incident.title, console_url(page, "incident", one.incident.public_id))


def _components(page: Page, refs: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for component in Component.objects.with_codes(refs).select_related("group"):
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
