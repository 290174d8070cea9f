"""Files for forms that have no file field, bodies that are too large, invalid Host headers."""

import logging
import logging.config
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from incidents.models import Page
from statuspage.subscribers.models import Subscriber
from tests.console.pages import entries
from tests.console.staff import signed_in
from tests.public.parsed_page import parse


def file(size: int) -> BytesIO:
    content = BytesIO(b"x" * size)
    content.name = "report.pdf"
    return content


@pytest.mark.parametrize("path", ["/subscribe", "/subscribe/webhook", "/accounts/login/", "/api/v2/subscribers.json"])
def test_a_file_for_a_form_without_a_file_field_is_rejected_and_not_stored(
    page: Page, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settings, "FILE_UPLOAD_TEMP_DIR", str(tmp_path))
    answer = Client().post(path, {"email": "reader@example.com", "file": file(100_000)})
    assert answer.status_code == 400
    assert b"This form accepts no files." in answer.content
    assert list(tmp_path.iterdir()) == []
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("path", ["/subscribe", "/accounts/login/", "/v1/pages/acme/incidents.json"])
def test_a_large_body_is_rejected_before_it_is_read(page: Page, path: str) -> None:
    answer = Client().post(path, {"file": file(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)})
    assert answer.status_code == 413
    assert b"The request is too large." in answer.content


def test_a_form_without_files_may_be_multipart(page: Page) -> None:
    answer = Client().post("/subscribe", {"email": "reader@example.com", "whole_page": "on"})
    assert answer.status_code == 200
    assert Subscriber.objects.count() == 1


def test_only_the_logo_and_the_import_accept_files() -> None:
    accepting = [entry.name for entry in entries() if getattr(entry.callback, "accepts_files", False)]
    assert sorted(str(name) for name in accepting) == ["import_subscribers", "logo"]


def test_staff_cannot_upload_files_elsewhere(page: Page) -> None:
    answer = signed_in("editor").post("/console/p/acme/incidents/new", {"title": "x", "file": file(10)})
    assert answer.status_code == 400


@pytest.fixture
def log() -> Any:
    """What a process logs with our settings."""
    stream = StringIO()
    logging.config.dictConfig(settings.LOGGING)
    (handler,) = [one for one in logging.getLogger().handlers if one.get_name() == "stderr"]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    return stream


def test_an_invalid_host_is_one_short_line_in_the_log(page: Page, log: StringIO) -> None:
    answer = Client().get("/subscribe", headers={"host": "bad host\x7f" + "x" * 5000})
    assert answer.status_code == 400
    assert parse(answer.content.decode()).one("h1").text == "This request is invalid."
    (line,) = log.getvalue().splitlines()
    assert "Rejected request to /subscribe: Invalid HTTP_HOST header" in line
    assert len(line) < 400
