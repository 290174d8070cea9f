from functools import cache
from hashlib import sha256

from django.conf import settings

# What decides the bytes of a public page, beside the database.
SOURCES = ("incidents", "statuspage/public", "statuspage/common", "templates/public", "templates/404.html", "static")


@cache
def fingerprint() -> str:
    """Changes when a page that nothing happened on would look different: after an update of the code or the address."""
    state = sha256(settings.SITE_URL.encode())
    for source in SOURCES:
        root = settings.BASE_DIR / source
        for path in sorted([root, *root.rglob("*")]):
            if path.is_file() and path.suffix != ".pyc":
                state.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return state.hexdigest()[:16]
