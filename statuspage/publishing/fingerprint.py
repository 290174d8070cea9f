"""A fingerprint of everything that shapes a published byte, besides the database."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings

# All code and templates: a template tag of the domain or a library's new version changes a page as well as a view does.
SOURCES = ("incidents", "statuspage", "templates", "static", "requirements.txt")
IGNORED_SUFFIXES = {".pyc"}


@cache
def fingerprint() -> str:
    """Return 16 hexadecimal digits that change when the code or SITE_URL changes: then all pages are rendered again."""
    return fingerprint_of(settings.BASE_DIR, settings.SITE_URL)


def fingerprint_of(root: Path, site_url: str) -> str:
    """Return the fingerprint of the checkout at `root`: of the names and contents of its source files."""
    state = sha256(site_url.encode())
    for source in SOURCES:
        top = root / source
        for path in sorted([top, *top.rglob("*")]):
            if path.is_file() and path.suffix not in IGNORED_SUFFIXES:
                content = path.read_bytes()
                state.update(f"\0{path.relative_to(root)}\0{len(content)}\0".encode())
                state.update(content)
    return state.hexdigest()[:16]
