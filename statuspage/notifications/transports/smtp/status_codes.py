"""Classify the replies of mail servers by their enhanced status codes (RFC 3463)."""

import re

from statuspage.notifications.models import BounceKind

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_BASIC = re.compile(r"(?<![\d.])([45])\d\d(?![\d.]*\d)")

# Permanent refusals that concern the sender, not the mailbox: message, permissions, reputation. Subscribers are not
# paused for them, because a blocklist at their provider is not their fault.
_SENDER_FAULT = re.compile(r"5\.(?:[67]\.\d+|2\.3|3\.4)")
# Codes that servers report as permanent although the cause is temporary: mailbox full (5.2.2), server problem (5.3),
# loop (5.4.6), delivery timed out (5.4.7).
_TEMPORARY = re.compile(r"5\.(?:2\.2|3\.\d+|4\.[67])")


def find_status(text: str) -> str:
    """Return the first enhanced status code in `text`, else X.0.0 for its first three-digit code, else ""."""
    if match := _ENHANCED.search(text):
        return match.group()
    return f"{match.group(1)}.0.0" if (match := _BASIC.search(text)) else ""


def bounce_kind_of(status: str) -> BounceKind:
    """Return the kind of bounce for a failed delivery with this status. An unknown status counts as soft."""
    if _SENDER_FAULT.fullmatch(status):
        return BounceKind.POLICY
    is_hard = status.startswith("5.") and not _TEMPORARY.fullmatch(status)
    return BounceKind.HARD if is_hard else BounceKind.SOFT
