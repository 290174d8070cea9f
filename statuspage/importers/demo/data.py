"""Read the texts of the demo page from the TOML and Markdown files in this folder."""

import tomllib
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class ComponentText:
    name: str
    description: str
    days_old: int
    only_show_if_degraded: bool = False
    target: str = ""


@dataclass(frozen=True)
class GroupText:
    name: str
    description: str
    components: list[ComponentText]


@dataclass(frozen=True)
class SubscribersText:
    """Addresses that share a `state` and roughly the age of their subscription."""

    state: str
    days_old: int
    emails: list[str]


@dataclass(frozen=True)
class PageText:
    name: str
    description: str
    support_url: str
    time_zone: str
    groups: list[GroupText]
    loose: list[ComponentText]
    subscribers: list[SubscribersText]


@dataclass(frozen=True)
class UpdateText:
    """`after` and `edited_after`: minutes since the first update. `original_body`: the text before the edit."""

    after: int
    status: str
    body: str
    author: str = ""
    components: dict[str, str] = field(default_factory=dict)
    original_body: str = ""
    edited_after: int = 0


@dataclass(frozen=True)
class ActionItemText:
    """Days count from the publication. `done_in_days` is None if the item is open."""

    text: str
    owner: str
    due_in_days: int
    done_in_days: int | None = None
    url: str = ""


@dataclass(frozen=True)
class LineText:
    """`after`: minutes since the incident's first update; negative before it."""

    after: int
    text: str


@dataclass(frozen=True)
class PostmortemText:
    """`published_after`, `detected_after`, `fixed_after`: minutes since the incident's first update."""

    body: str
    published_after: int
    detected_after: int
    fixed_after: int
    factors: list[str]
    lines: list[LineText]
    action_items: list[ActionItemText]


@dataclass(frozen=True)
class IncidentText:
    """An incident that began `minutes_ago`, or `days_ago` at about `clock` (UTC)."""

    title: str
    author: str
    updates: list[UpdateText]
    days_ago: int = 0
    clock: time = time(0)
    minutes_ago: int = 0
    impact: str | None = None
    postmortem: PostmortemText | None = None


def page() -> PageText:
    raw = read_toml(HERE / "page.toml")
    return PageText(
        **raw["page"],
        groups=[_group(group) for group in raw["group"]],
        loose=[ComponentText(**component) for component in raw["component"]],
        subscribers=[SubscribersText(**subscribers) for subscribers in raw["subscriber"]],
    )


def incidents() -> list[IncidentText]:
    files = sorted((HERE / "incidents").glob("*.toml"))
    return [_incident(raw) for file in files for raw in read_toml(file)["incident"]]


def read_toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _group(raw: dict[str, Any]) -> GroupText:
    return GroupText(raw["name"], raw["description"], [ComponentText(**component) for component in raw["component"]])


def _incident(raw: dict[str, Any]) -> IncidentText:
    raw["updates"] = [UpdateText(**update) for update in raw.pop("update")]
    if "time" in raw:
        raw["clock"] = time.fromisoformat(raw.pop("time"))
    if "postmortem" in raw:
        raw["postmortem"] = _postmortem(raw["postmortem"])
    return IncidentText(**raw)


def _postmortem(raw: dict[str, Any]) -> PostmortemText:
    body = (HERE / "postmortems" / raw["file"]).read_text(encoding="utf-8")
    return PostmortemText(
        body,
        **{name: raw[name] for name in ("published_after", "detected_after", "fixed_after", "factors")},
        lines=[LineText(**line) for line in raw["line"]],
        action_items=[ActionItemText(**item) for item in raw["action_item"]],
    )
