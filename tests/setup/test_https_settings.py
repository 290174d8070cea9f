"""Cookies and HSTS with and without HTTPS, as the settings set them from the environment."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import ROOT, prepared_data

# The settings, and the headers of two responses: of a page that is published, and of the sign-in form.
SCRIPT = """
import json
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from incidents.actions.pages.page_settings import create_page
from incidents.actor import SYSTEM
from statuspage.publishing.rendering import render
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
call_command("createcachetable")
page = create_page(name="Acme", time_zone="Etc/UTC", actor=SYSTEM)
answer = Client().get("/accounts/login/", secure=True)
cookies = {name: [cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]]
           for name, cookie in answer.cookies.items()}
print(json.dumps({"cookies": cookies, "hsts": answer.headers.get("Strict-Transport-Security", ""),
                  "published": render(page, "/history.atom").headers.get("Strict-Transport-Security", "")}))
"""


def responses(folder: Path, **env: str) -> dict[str, object]:
    shutil.copytree(prepared_data(), folder, dirs_exist_ok=True)
    environment = {**os.environ, "ENV_FILE": os.devnull, "DATA_DIR": str(folder), "DATABASE_URL": "", **env}
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("env", "cookie", "secure", "hsts"),
    [
        ({"SITE_URL": "https://status.example.com"}, "__Host-csrftoken", True, "max-age=31536000"),
        ({"SITE_URL": "https://status.example.com", "TRUSTED_PROXIES": "1", "SECURE_HSTS_SECONDS": "60"},
         "__Host-csrftoken", True, "max-age=60"),
        ({"SITE_URL": "https://status.example.com", "SECURE_HSTS_SECONDS": "0"}, "__Host-csrftoken", True, ""),
        ({"SITE_URL": "http://127.0.0.1:8000"}, "csrftoken", False, ""),
    ],
)  # fmt: skip
def test_cookies_and_hsts(tmp_path: Path, env: dict[str, str], cookie: str, *, secure: bool, hsts: str) -> None:
    result = responses(tmp_path, **env)
    assert result["cookies"] == {cookie: [secure or "", True, "Lax", "/", ""]}
    if "TRUSTED_PROXIES" not in env:  # the test client sends no X-Forwarded-Proto
        assert result["hsts"] == hsts
    assert result["published"] == hsts
