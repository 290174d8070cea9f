"""The settings that the front door needs, read without Django. Names and defaults are as in statuspage/settings.py."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent
LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=(.*)")


class ConfigError(Exception):
    """A setting is not valid. The message is one line for the operator."""


@dataclass(frozen=True)
class Config:
    """`form_limit`, `upload_limit`: bytes. `app_threads`: how many requests the app handles at the same time."""

    host: str
    port: int
    workers: int
    data_dir: Path
    moves_database: bool
    published_dir: Path
    static_dir: Path
    run_dir: Path
    app_threads: int
    form_limit: int
    upload_limit: int
    trusted_proxies: int

    @property
    def socket(self) -> Path:
        return self.run_dir / "app.sock"


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the settings from `environ`, then from its ENV_FILE. Raises ConfigError."""
    values = {**_settings_file(Path(environ.get("ENV_FILE") or BASE_DIR / ".env")), **environ}
    data = BASE_DIR / (values.get("DATA_DIR") or "var")
    public = data / "public"
    return Config(
        host=values.get("HOST") or "127.0.0.1",
        port=_number(values, "PORT", 8000),
        workers=_number(values, "WEB_WORKERS", 1),
        data_dir=data,
        moves_database=not values.get("DATABASE_URL", "").startswith("sqlite"),
        published_dir=Path(values.get("PUBLISHED_DIR") or public / "published"),
        static_dir=public / "static",
        run_dir=data / "private" / "run",
        app_threads=_number(values, "APP_THREADS", 4),
        form_limit=_number(values, "FORM_LIMIT", 64 * 1024),
        upload_limit=_number(values, "UPLOAD_LIMIT", 3 * 1024 * 1024),
        trusted_proxies=_number(values, "TRUSTED_PROXIES", 0),
    )


def _settings_file(path: Path) -> dict[str, str]:
    """Parse lines like NAME=value as django-environ does, without its extensions."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    matches = (LINE.fullmatch(line.strip()) for line in lines)
    return {match[1]: _unquoted(match[2].strip()) for match in matches if match}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name) or str(default)
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{name} is not valid: {text!r} is not a whole number. See docs/settings.md.") from None
