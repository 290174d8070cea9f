"""The content of a draft survives being stored as JSON."""

import json
from datetime import UTC, datetime

import pytest

from incidents.models.draft_content import (
    DeclareContent,
    DraftContent,
    DraftStep,
    FollowUpContent,
    ReopenContent,
    ResolveContent,
    UpdateContent,
    content_from_json,
)

AT = datetime(2026, 11, 29, 20, 27, tzinfo=UTC)
CONTENTS: list[DraftContent] = [
    DeclareContent(body="a", notify=True, at=AT, title="Outage", status="identified", components={"x": "major_outage"}),
    UpdateContent(body="b", notify=False, status="monitoring", components={"x": "operational"}),
    ReopenContent(body="c", notify=True, status="investigating"),
    ResolveContent(body="d", notify=True, restore={"x": "operational"}),
    FollowUpContent(body="e", notify=True, at=AT),
]


def test_every_step_has_its_content() -> None:
    assert {content.step for content in CONTENTS} == set(DraftStep)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.step)
def test_reading_returns_what_was_stored(content: DraftContent) -> None:
    stored = json.loads(json.dumps(content.as_json()))
    assert content_from_json(content.step, stored) == content
