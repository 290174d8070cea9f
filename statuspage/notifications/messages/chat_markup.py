"""Convert rendered Markdown to the markup of each chat: Slack's mrkdwn, Markdown, Telegram's HTML, plain text.

The input is the sanitized, well-formed HTML rather than the source, so that chats show what visitors see.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape as escape_html
from html.parser import HTMLParser

# Inserted between @ and a name, so that no text mentions anyone: @channel, @everyone, @here, @user.
_ZERO_WIDTH_SPACE = "\u200b"
_MENTION = re.compile(r"(?<![\w.+-])@(?=\w)")
_MARKDOWN = re.compile(r"([\\`*_~|\[\]<>#])")
_BLOCKS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "tr"}
_MARKS = {"strong": "bold", "b": "bold", "em": "italic", "i": "italic", "del": "strike", "s": "strike", "code": "code"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}


@dataclass(frozen=True)
class Dialect:
    """The markup of one chat.

    `marks`: the delimiters of bold, italic, strike, code and pre. `code`: escapes text inside code.
    """

    escape: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str, str], str]
    marks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    quote: str = "> "
    bullet: str = "•"

    def text(self, text: str) -> str:
        """Return `text` as one escaped line without markup and mentions."""
        return self.escape(without_mentions(" ".join(text.split())))

    def title(self, text: str, *, limit: int) -> str:
        """Return `text` in at most `limit` characters, shortened with an … if necessary."""
        escaped = self.text(text)
        return escaped if len(escaped) <= limit else self._cut(text, limit)

    def blocks(self, html: str) -> list[str]:
        """Return the paragraphs, lists and other blocks of `html`, one string each."""
        writer = _ChatWriter(self)
        writer.feed(html)
        writer.close()
        return writer.blocks

    def render(self, html: str, *, limit: int) -> str:
        """Return at most `limit` characters: complete blocks, or the beginning of the first, with an … if shortened."""
        blocks, chosen = self.blocks(html), ""
        for block in blocks:
            longer = f"{chosen}\n\n{block}" if chosen else block
            if len(longer) > limit - 3:
                return f"{chosen}\n\n…" if chosen else self._beginning(html, limit)
            chosen = longer
        return chosen

    def _beginning(self, html: str, limit: int) -> str:
        """Return the beginning as plain text, because a link cannot be split."""
        return self._cut("\n\n".join(PLAIN.blocks(html)), limit)

    def _cut(self, text: str, limit: int) -> str:
        while len(escaped := self.escape(without_mentions(text))) > limit - 1:
            text = text[: min(len(text) - 1, len(text) * (limit - 1) // len(escaped))]
        return f"{escaped.rstrip()}…"


def without_mentions(text: str) -> str:
    return _MENTION.sub(f"@{_ZERO_WIDTH_SPACE}", text)


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _without_fences(text: str) -> str:
    return text.replace("```", "'''")


def _entities(text: str) -> str:
    """Escape the three characters that Slack requires."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_link(text: str, url: str) -> str:
    return f"<{_entities(url).replace('|', '%7C')}|{text}>" if text else f"<{_entities(url)}>"


def _markdown_link(text: str, url: str) -> str:
    return f"[{text or _markdown(url)}]({url.replace('(', '%28').replace(')', '%29').replace(' ', '%20')})"


def _html_link(text: str, url: str) -> str:
    return f'<a href="{escape_html(url)}">{text or escape_html(url)}</a>'


def _plain_link(text: str, url: str) -> str:
    return url if text in ("", url) else f"{text} ({url})"


SLACK = Dialect(
    escape=_entities,
    code=lambda text: _entities(_without_fences(text)),
    link=_slack_link,
    marks={
        "bold": ("*", "*"),
        "italic": ("_", "_"),
        "strike": ("~", "~"),
        "code": ("`", "`"),
        "pre": ("```\n", "\n```"),
    },
)
MARKDOWN = Dialect(
    escape=_markdown,
    code=_without_fences,
    link=_markdown_link,
    marks={
        "bold": ("**", "**"),
        "italic": ("*", "*"),
        "strike": ("~~", "~~"),
        "code": ("`", "`"),
        "pre": ("```\n", "\n```"),
    },
)
# Adaptive Cards support bold, italic, lists and links.
CARD = Dialect(
    escape=_markdown,
    code=_markdown,
    link=_markdown_link,
    marks={"bold": ("**", "**"), "italic": ("_", "_")},
    bullet="-",
)
TELEGRAM = Dialect(
    escape=escape_html,
    code=escape_html,
    link=_html_link,
    marks={
        "bold": ("<b>", "</b>"),
        "italic": ("<i>", "</i>"),
        "strike": ("<s>", "</s>"),
        "code": ("<code>", "</code>"),
        "pre": ("<pre>", "</pre>"),
    },
    quote="&gt; ",
)
PLAIN = Dialect(escape=str, code=str, link=_plain_link)


class _ChatWriter(HTMLParser):
    def __init__(self, dialect: Dialect) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self._dialect = dialect
        self._out: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []
        self._quotes = 0
        self._is_pre = False
        self._is_code = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag in _BLOCKS or tag in ("blockquote", "hr"):
            self._end_block()
        if tag in _HEADINGS:
            self._out.append(self._mark("bold", 0))
        elif tag == "pre":
            self._is_pre = True
            self._out.append(self._mark("pre", 0))
        elif tag in _MARKS:
            self._start_mark(tag)
        elif tag == "a":
            self._links.append((values.get("href", ""), len(self._out)))
        elif tag == "br":
            self._out.append("\n")
        elif tag in ("ul", "ol"):
            self._lists.append(int(values.get("start") or 1) if tag == "ol" else None)
        elif tag == "li":
            self._start_item()
        elif tag in ("td", "th") and self._out:
            self._out.append(self._escape(" | "))
        self._quotes += tag == "blockquote"

    def handle_endtag(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._out.append(self._mark("bold", 1))
        elif tag == "pre":
            self._is_pre = False
            self._out.append(self._mark("pre", 1))
        elif tag in _MARKS and not self._is_pre:
            self._is_code = self._is_code and tag != "code"
            self._out.append(self._mark(_MARKS[tag], 1))
        elif tag == "a" and self._links:
            url, start = self._links.pop()
            text = "".join(self._out[start:])
            self._out[start:] = [self._dialect.link(text, url) if url else text]
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag in _BLOCKS or tag in ("blockquote", "ul", "ol"):
            self._end_block()
        self._quotes -= tag == "blockquote"

    def handle_data(self, data: str) -> None:
        if self._is_pre or self._is_code:
            self._out.append(self._dialect.code(without_mentions(data.rstrip("\n") if self._is_pre else data)))
        elif data.strip() or self._out:
            self._out.append(self._escape(re.sub(r"\s+", " ", data)))

    def close(self) -> None:
        super().close()
        self._lists.clear()
        self._end_block()

    def _start_mark(self, tag: str) -> None:
        if not self._is_pre:
            self._out.append(self._mark(_MARKS[tag], 0))
            self._is_code = self._is_code or tag == "code"

    def _start_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number + 1
        bullet = self._dialect.bullet if number is None else f"{number}."
        self._out.append(f"\n{'  ' * (len(self._lists) - 1)}{bullet} ")

    def _escape(self, text: str) -> str:
        return self._dialect.escape(without_mentions(text))

    def _mark(self, name: str, side: int) -> str:
        return self._dialect.marks.get(name, ("", ""))[side]

    def _end_block(self) -> None:
        """End the current block. Inside a list, paragraphs are lines of the list."""
        if self._lists:
            return
        lines = [line.rstrip() for line in "".join(self._out).strip().splitlines() if line.strip() or self._is_pre]
        self._out.clear()
        self._links.clear()
        if lines:
            quote = self._dialect.quote if self._quotes else ""
            self.blocks.append("\n".join(quote + line for line in lines))
