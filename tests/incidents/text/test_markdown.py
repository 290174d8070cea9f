import pytest
from django.core.exceptions import ValidationError

from incidents.text import markdown


def refusal(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        markdown.render(text)
    return " ".join(caught.value.messages)


def test_headings_lists_links_and_code_come_out() -> None:
    html = markdown.render("# What\n\n1. One\n2. Two\n\n[link](https://example.com) and `code`\n\n```\nblock\n```")
    assert "<h2>What</h2>" in html
    assert "<ol>\n<li>One</li>" in html
    assert '<a href="https://example.com" rel="noopener">link</a>' in html
    assert "<code>code</code>" in html
    assert "<pre><code>block\n</code></pre>" in html


def test_a_single_line_break_stays_a_line_break() -> None:
    assert "one<br>" in markdown.render("one\ntwo")


@pytest.mark.parametrize("tag", ["script", "iframe", "style", "svg", "form", "OBJECT"])
def test_active_html_is_refused_by_name(tag: str) -> None:
    assert f"<{tag}>" in refusal(f"Look: <{tag} x=1>alert(1)</{tag}>")


def test_active_html_in_code_is_just_text() -> None:
    assert "&lt;script&gt;" in markdown.render("The `<script>` tag was missing.")
    assert "&lt;script&gt;" in markdown.render("```\n<script>\n```")


@pytest.mark.parametrize(
    "text", ["p99 < 300 ms & falling", "value was <none> today", "<b>bold</b>", "<img src=x onerror=y>"]
)
def test_other_angle_brackets_are_shown_as_typed(text: str) -> None:
    html = markdown.render(text)
    assert "<b>" not in html
    assert "<img" not in html
    assert "&lt;" in html


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](jav\tascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "[x](vbscript:x)",
        "![x](javascript:alert(1))",
        "[x][1]\n\n[1]: javascript:alert(1)",
        "[x](file:///etc/passwd)",
        "[x]( javascript :x)",
    ],
)
def test_a_link_that_runs_code_is_refused(link: str) -> None:
    assert "http:, https: or mailto:" in refusal(link)


@pytest.mark.parametrize("text", ["<javascript:alert(1)>", "<a href='javascript:x'>y</a>"])
def test_what_is_no_link_stays_text(text: str) -> None:
    assert "<a" not in markdown.render(text)


def test_empty_and_blank_texts_are_refused() -> None:
    assert refusal("") == refusal(" \n\t\n ") == "Enter a message."


def test_the_length_limit_says_both_numbers() -> None:
    markdown.render("x" * 25_000)
    assert refusal("x" * 25_001) == "This is 25,001 characters long; 25,000 are allowed."


@pytest.mark.parametrize("text", ["[" * 10_000, "![" * 5_000, "<" * 10_000, "[](" * 8_000, "[" * 400 + "]" * 400])
def test_runs_that_take_quadratic_time_are_refused(text: str) -> None:
    assert "not closed" in refusal(text)


def test_many_closed_brackets_are_fine() -> None:
    assert markdown.render("[a](https://example.com) " * 400).count("<a ") == 400


def test_control_characters_are_refused() -> None:
    assert "control characters" in refusal("a\x00b")


def test_a_change_shows_both_words_and_escapes_them() -> None:
    assert markdown.change_html("a <b> at 13:00", "a <b> at 14:00") == "a &lt;b&gt; at <del>13:00</del><ins>14:00</ins>"


def test_windows_line_ends_become_plain_ones() -> None:
    assert markdown.check_size("a\r\nb\r\n") == "a\nb"


OURS = """It's *slow* & "big": p99 < 300\u00a0ms, ~~no~~ `<b>"x"</b>`

![a "b"](https://example.com/a.png?b=1&c=2 "it's") [c](https://example.com/?a='b'&c "d > e") <none>

> one
> two

3. three

```
&lt; "it's" &nbsp;
```

| a | b |
| - | - |
| ' | " |"""


@pytest.mark.parametrize(
    "html",
    [
        markdown.render(OURS),
        markdown.plain(OURS),
        markdown.change_html(OURS, OURS.replace("slow", '"quick" & it\'s').replace("two", "")),
    ],
)
def test_what_we_made_ourselves_is_clean_as_it_is(html: str) -> None:
    assert markdown.clean(html) == html
