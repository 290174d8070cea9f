"""Publish the demo page under a fixed clock and write every published file to a folder, to compare two source trees.

    python -m tests.bench.published_tree FOLDER

Seeds the demo page with `seed_demo --seed 1` into a temporary data folder, makes its reports and response times public,
runs `publish`, and writes one file for each published path to FOLDER, with `headers.json` beside them. FOLDER must not
exist yet. Run it in each tree, then compare with `diff -r`. To run it in a tree that does not contain this file, start
it there by its path, with `PYTHONPATH=.`.

Two runs of one tree give equal folders. Normalized or left out, because they follow from the source files and not from
the page: the hashes in names of static files, the order of Content-Security-Policy directives, the fingerprint of the
code, the numbers of generations and archives, and the compressed copies.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import time_machine

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEED = 1
HASHED_NAME = re.compile(rb"(/static/[\w./-]+)\.[0-9a-f]{12}(\.\w+)")
MANIFEST = "manifest.json"
# Not part of an answer: both are written by the publisher for itself or for a web server.
LEFT_OUT = {MANIFEST, "archive"}
COMPRESSED = {".gz", ".br"}
POLICY = "Content-Security-Policy"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the published files of the demo page to a folder.")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as data:
        os.environ |= {
            "DATA_DIR": data, "DATABASE_URL": "", "ENV_FILE": os.devnull, "LOG_LEVEL": "ERROR", "PUBLISH_TO": "",
            "PUBLISHED_DIR": "", "SECRET_KEY": "only-for-the-comparison-" * 3, "SITE_URL": "https://status.example.com",
            "DJANGO_SETTINGS_MODULE": "statuspage.settings",
        }  # fmt: skip
        publish()
        (page,) = [
            path for path in (Path(data) / "public/published").iterdir() if path.is_dir() and not path.is_symlink()
        ]
        files = copy(page / "current", folder)
    print(f"{files} files in {folder}")
    return 0


def publish() -> None:
    """Fill the database and the published folder that the environment names."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    with time_machine.travel(NOW, tick=False):
        call_command("seed_demo", seed=SEED, now=NOW)
        make_public()
        call_command("publish")


def make_public() -> None:
    """Switch on every part of the page that is published only on request."""
    from incidents.models import Page

    switches = [field.name for field in Page._meta.get_fields() if field.name.endswith("_public")]
    Page.objects.update(**dict.fromkeys(switches, True))


def copy(current: Path, folder: Path) -> int:
    """Write the files of the generation `current` and of its archive to `folder`, and return how many there are."""
    headers: dict[str, dict[str, str]] = {}
    # The archive first: a file of the generation replaces that of the archive.
    for part in (current / "archive", current):
        if not part.exists():
            continue
        for file in sorted(part.rglob("*")):
            name = file.relative_to(part)
            if file.is_file() and file.suffix not in COMPRESSED and name.parts[0] not in LEFT_OUT:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(HASHED_NAME.sub(rb"\1.HASH\2", file.read_bytes()))
        headers |= headers_of(part / MANIFEST)
    text = json.dumps(headers, indent=1, sort_keys=True)
    (folder / "headers.json").write_text(text + "\n", encoding="utf-8")
    return len(headers)


def headers_of(manifest: Path) -> dict[str, dict[str, str]]:
    """The response headers of each path in a manifest, with sorted directives: django-csp keeps them in a set."""
    content: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    for headers in content["headers"]:
        if policy := headers.get(POLICY):
            headers[POLICY] = "; ".join(sorted(policy.split("; ")))
    return {path: content["headers"][number] for path, (_, number) in content["files"].items()}


if __name__ == "__main__":
    sys.exit(main())
