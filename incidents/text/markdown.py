"""Render Markdown to safe HTML. No other module imports markdown and nh3.

With a clock, `@14:14` becomes a `<time>` (incidents.text.time_shorthand).

A text that would not be shown as its author intends is rejected: active HTML, links with other schemes, and the long
runs of brackets for which Python-Markdown needs quadratic time.
"""

import re
import threading
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

import markdown
import nh3
from django.core.exceptions import ValidationError
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AMP_SUBSTITUTE, AtomicString

from incidents.text.differences import differences
from incidents.text.markdown_limits import block_errors, check_fences
from incidents.text.time_shorthand import PATTERN, Clock
from incidents.text.wording import machine_time

MAX_BODY = 25_000
MAX_UNMATCHED = 300

ALLOWED_SCHEMES = {"http", "https", "mailto"}
ALLOWED_TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong"),
    *("del", "a", "img", "table", "thead", "tbody", "tr", "th", "td", "time"),
}
CHANGE_TAGS = {"del", "ins"}
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "time": {"datetime"}}
ACTIVE_TAGS = {
    *("script", "style", "iframe", "frame", "object", "embed", "applet", "form", "input", "button", "textarea"),
    *("select", "svg", "math", "link", "meta", "base", "template", "video", "audio", "portal", "html", "head", "body"),
    "noscript",
}
_local = threading.local()
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_TAG_OR_TEXT = re.compile(r"""(<(?:[^">]|"[^"]*")*>)|[^<]+""")
_FIRST_BLOCK = re.compile(r".*?</(?:p|li|h\d|pre|tr)>", re.DOTALL)
_TAG_NAME = re.compile(r"</?\s*([a-z0-9]+)", re.IGNORECASE)


class _Limits(Preprocessor):
    """Records an error, and drops the text, if it would take too long to render. Runs after code blocks are removed."""

    def run(self, lines: list[str]) -> list[str]:
        errors = block_errors(lines)
        self.md.errors.extend(errors)  # type: ignore[attr-defined]
        return [] if errors else lines


class _LiteralHtml(InlineProcessor):
    """Shows HTML as text, and records an error for active tags."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # type: ignore[override]  # noqa: N802
        name = _TAG_NAME.match(m.group(0))
        if name and name.group(1).lower() in ACTIVE_TAGS:
            self.md.errors.append(  # type: ignore[attr-defined]
                f"HTML like <{name.group(1)}> is not allowed. To show it as text, put it in `backticks`."
            )
        return self.md.htmlStash.store(escape(m.group(0))), m.start(0), m.end(0)


class _TimePattern(InlineProcessor):
    """Converts `@14:14` to a time element. Without a clock or for a time that does not exist, it stays as it is."""

    def handleMatch(  # type: ignore[override]  # noqa: N802
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        clock: Clock | None = self.md.clock  # type: ignore[attr-defined]
        moment = clock.moment(m) if clock else None
        if clock is None or moment is None:
            return None, None, None
        element = Element("time", datetime=machine_time(moment))
        element.text = AtomicString(clock.expanded(m))
        return element, m.start(0), m.end(0)


class _Links(Treeprocessor):
    """Records an error for link schemes that nh3 would remove, and moves headings below the h1 of the page."""

    def run(self, root: Element) -> None:
        for element in root.iter():
            if re.fullmatch("h[1-5]", element.tag):
                element.tag = f"h{int(element.tag[1]) + 1}"
            target = element.get("href") or element.get("src") or ""
            scheme = _SCHEME.match(re.sub(r"[\x00-\x20]", "", self._unescaped(target)))
            if scheme and scheme.group(1).lower() not in ALLOWED_SCHEMES:
                self.md.errors.append(  # type: ignore[attr-defined]
                    f"A link must start with http:, https: or mailto:, not {scheme.group(1)}:."
                )

    def _unescaped(self, target: str) -> str:
        """Return the target as a browser reads it: without Markdown's placeholders and character references."""
        plain = re.sub(r"\x02(\d+)\x03", lambda m: chr(int(m.group(1))), target.replace(AMP_SUBSTITUTE, "&"))
        return unescape(plain)


def _renderer() -> Any:
    md = markdown.Markdown(extensions=["fenced_code", "tables", "sane_lists", "nl2br"], output_format="html")
    md.preprocessors.deregister("html_block")
    # After code blocks were removed (25), before anything else is parsed.
    md.preprocessors.register(_Limits(md), "candor_limits", 24)
    md.inlinePatterns.deregister("html")
    md.inlinePatterns.register(_LiteralHtml(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--)>", md), "html", 90)
    md.inlinePatterns.register(_TimePattern(f"(?a:{PATTERN})", md), "candor_times", 85)
    md.treeprocessors.register(_Links(md), "candor_links", 5)
    md.clock = None  # type: ignore[attr-defined]
    md.errors = []  # type: ignore[attr-defined]
    return md


def _thread_renderer() -> Any:
    """Return the renderer of this thread, reset. Creating one takes longer than rendering most texts."""
    md = getattr(_local, "renderer", None)
    if md is None:
        md = _local.renderer = _renderer()
    md.reset()
    md.errors.clear()
    return md


def _unmatched(text: str) -> int:
    """Return the number of unclosed `[`, `<` or `(`, or their nesting depth, whichever is larger."""
    worst = 0
    for opening, closing in ("[]", "<>", "()"):
        depth = deepest = 0
        for character in text:
            if character == opening:
                depth += 1
                deepest = max(deepest, depth)
            elif character == closing and depth:
                depth -= 1
        worst = max(worst, depth, deepest)
    return worst


def check_size(text: str) -> str:
    """Return `text` with normalized line ends and without outer blank lines.

    Raise ValidationError if it is empty, too long, or too slow to render.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    if not text.strip():
        raise ValidationError("Enter a message.")
    if len(text) > MAX_BODY:
        raise ValidationError(f"This is {len(text):,} characters long; {MAX_BODY:,} are allowed.")
    if "\x00" in text or "\x02" in text or "\x03" in text:
        raise ValidationError("Remove the control characters from the text.")
    if _unmatched(text) > MAX_UNMATCHED:
        raise ValidationError(
            f"The text has more than {MAX_UNMATCHED} “[”, “(” or “<” that are not closed. Put them in a code block."
        )
    check_fences(text)
    return text


def render(text: str, *, clock: Clock | None = None) -> SafeString:
    """Return Markdown `text` as safe HTML. `clock` is for its times, like `@14:14`.

    Raise ValidationError, without a field, for a text that cannot be shown as written.
    """
    text = check_size(text)
    md = _thread_renderer()
    md.clock = clock
    try:
        html = md.convert(text)
    except RecursionError:
        raise ValidationError("The text is nested too deeply. Use fewer levels of lists, quotes or emphasis.") from None
    if md.errors:
        raise ValidationError(sorted(set(md.errors)))
    return mark_safe(_sanitized(html, ALLOWED_TAGS))  # noqa: S308 - nh3 has the last word


def clean(html: str) -> SafeString:
    """Return HTML from outside without the tags that are not allowed. Output of this module is returned unchanged."""
    sanitized = _sanitized(html, ALLOWED_TAGS | CHANGE_TAGS)
    # nh3 escapes characters in text differently from `escape`.
    escaped = _TAG_OR_TEXT.sub(lambda m: m.group(1) or escape(unescape(m.group(0))), sanitized)
    return mark_safe(escaped if escaped == html else sanitized)  # noqa: S308 - nh3's tags, and text that is escaped


def _sanitized(html: str, tags: set[str]) -> str:
    return nh3.clean(html, tags=tags, attributes=ALLOWED_ATTRIBUTES, url_schemes=ALLOWED_SCHEMES, link_rel="noopener")


def first_words(html: str) -> str:
    """Return the text of the first paragraph, heading or list item of rendered Markdown, on one line."""
    first = _FIRST_BLOCK.match(html)
    return " ".join(unescape(strip_tags((first[0] if first else html).replace("<br", " <br"))).split())


def plain(text: str) -> SafeString:
    """Return `text` without formatting, in paragraphs, for imported texts that `render` rejects."""
    paragraphs = re.split(r"\n{2,}", escape(text.strip("\n")))
    lines = "\n".join(f"<p>{paragraph}</p>".replace("\n", "<br>\n") for paragraph in paragraphs if paragraph.strip())
    return mark_safe(lines)  # noqa: S308 - every piece was escaped above


def change_html(old: str, new: str) -> SafeString:
    """Return the changes from `old` to `new`, word by word, as escaped text with `<del>` and `<ins>`."""
    parts: list[str] = []
    for change in differences(old, new):
        if change.old == change.new:
            parts.append(escape(change.old))
            continue
        parts += [f"<del>{escape(change.old)}</del>"] if change.old else []
        parts += [f"<ins>{escape(change.new)}</ins>"] if change.new else []
    return mark_safe("".join(parts))  # noqa: S308 - every piece was escaped above
