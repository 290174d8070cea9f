"""Copies of the published page elsewhere. `PUBLISH_TO` lists their URLs; each URL scheme has a module here."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from statuspage.publishing.targets.base import Target, TargetConfigError
from statuspage.publishing.targets.bucket import bucket
from statuspage.publishing.targets.folder import files

MAKERS = {"file": files, "s3": bucket}


def read_targets(addresses: Iterable[str]) -> list[Target]:
    """Return the targets of these URLs. Raises TargetConfigError if one is invalid or cannot be used."""
    targets: dict[str, Target] = {}
    for address in addresses:
        target = _read(address)
        if target.name in targets:
            raise TargetConfigError(f"{target.name} is listed twice.")
        targets[target.name] = target
    return list(targets.values())


def _read(address: str) -> Target:
    try:
        url = urlsplit(address)
        options = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    except ValueError as error:
        raise TargetConfigError(f"“{address}” is not a valid URL: {error}.") from error
    if url.scheme not in MAKERS:
        raise TargetConfigError(f"“{address}” is not a target. Targets begin with file:/// or s3://.")
    if url.username or url.password:
        raise TargetConfigError(
            "Remove the credentials from the target. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."
        )
    page = options.pop("page", "")
    return MAKERS[url.scheme](url, page, options)
