"""Copies of the published page elsewhere. `PUBLISH_TO` names them by address; each scheme has a module here."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from statuspage.publishing.targets.base import Target, TargetConfigError
from statuspage.publishing.targets.bucket import bucket
from statuspage.publishing.targets.files import files

MAKERS = {"file": files, "s3": bucket}


def read_targets(addresses: Iterable[str]) -> list[Target]:
    """Wrong, in words for who set it, if one cannot be understood or used."""
    targets: dict[str, Target] = {}
    for address in addresses:
        target = _read(address)
        if target.name in targets:
            raise TargetConfigError(f"{target.name} stands there twice.")
        targets[target.name] = target
    return list(targets.values())


def _read(address: str) -> Target:
    try:
        url = urlsplit(address)
        options = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
    except ValueError as error:
        raise TargetConfigError(f"“{address}” is not an address: {error}.") from error
    if url.scheme not in MAKERS:
        raise TargetConfigError(f"“{address}” is no target. Targets begin with file:/// or s3://.")
    if url.username or url.password:
        raise TargetConfigError(
            "No password belongs into a target. Credentials are read from AWS_ACCESS_KEY_ID and its relatives."
        )
    page = options.pop("page", "")
    return MAKERS[url.scheme](url, page, options)
