from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _folders(settings: Settings, tmp_path: Path) -> None:
    """Each test publishes into a folder of its own. WhiteNoise warns where there is none for static files."""
    settings.PUBLISHED_DIR = tmp_path / "published"
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
