"""The front door's own reading of the settings, beside Django's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from statuspage import settings
from statuspage.common.sockets import LONGEST_ADDRESS, short_name
from statuspage.frontdoor.config import ConfigError, read_config
from tests.live import ROOT


def test_it_reads_what_django_reads() -> None:
    config = read_config({**os.environ, "ENV_FILE": os.devnull})
    assert (config.host, config.port, config.workers) == (settings.HOST, settings.PORT, settings.WEB_WORKERS)
    assert config.published_dir == settings.PUBLISHED_DIR
    assert config.static_dir == settings.STATIC_ROOT
    assert config.run_dir == settings.RUN_DIR
    assert (config.app_threads, config.trusted_proxies) == (settings.APP_THREADS, settings.TRUSTED_PROXIES)
    assert (config.form_limit, config.upload_limit) == (settings.FORM_LIMIT, settings.UPLOAD_LIMIT)


def test_the_settings_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# comment\nPORT=8123\nexport HOST='::1'\nWEB_WORKERS=2\n", encoding="utf-8")
    config = read_config({"ENV_FILE": str(file), "WEB_WORKERS": "3"})
    assert (config.port, config.host, config.workers) == (8123, "::1", 3)


def test_an_invalid_number_is_named() -> None:
    with pytest.raises(ConfigError, match="PORT is not valid: 'abc'"):
        read_config({"PORT": "abc", "ENV_FILE": os.devnull})


def test_it_runs_without_django() -> None:
    code = "import sys, statuspage.frontdoor.application, statuspage.frontdoor.__main__; print('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_name_of_a_socket_always_fits_into_an_address(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    assert len(short_name(folder / "app.sock")) <= LONGEST_ADDRESS
