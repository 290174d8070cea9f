"""What a mail server's answer says of the mailbox: enhanced status codes (RFC 3463), and whose fault each is."""

import re

from statuspage.notifications.models import BounceKind

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_BASIC = re.compile(r"(?<![\d.])([45])\d\d(?![\d.]*\d)")

# Refused for good, but not because of the mailbox: our message, our rights, our reputation. Pausing everybody whose
# provider has put us on a list would burn recipients for a fault of ours.
_OURS = re.compile(r"5\.(?:[67]\.\d+|2\.3|3\.4)")
# Said to be for good, and yet it passes: a full mailbox (5.2.2), their server's own trouble (5.3), a loop (5.4.6),
# nobody reached in time (5.4.7).
_PASSES = re.compile(r"5\.(?:2\.2|3\.\d+|4\.[67])")


def status_in(text: str) -> str:
    """The first enhanced status code in `text`, else X.0.0 for its first three-digit code, else nothing."""
    if found := _ENHANCED.search(text):
        return found.group()
    return f"{found.group(1)}.0.0" if (found := _BASIC.search(text)) else ""


def kind_of(status: str) -> BounceKind:
    """Of a delivery that was given up with that status. What nobody can read is held against nobody for good."""
    if _OURS.fullmatch(status):
        return BounceKind.POLICY
    is_hard = status.startswith("5.") and not _PASSES.fullmatch(status)
    return BounceKind.HARD if is_hard else BounceKind.SOFT
