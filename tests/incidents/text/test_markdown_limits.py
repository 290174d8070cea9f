"""No text of the allowed length takes long to render: it has a limit that names what there is too much of."""

import random
import time
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError

from incidents.text import markdown
from incidents.text.differences import differences

# Far more than any of them needs, also on a busy machine. Before there were limits, the worst took minutes.
SECONDS = 3.0

REJECTED = {
    "=\n": "headings and rules",
    "a\n=\n": "headings and rules",
    "-\n": "headings and rules",
    "***\n": "headings and rules",
    "* * *\n": "headings and rules",
    "# a\n": "headings and rules",
    "> # a\n": "headings and rules",
    "- a\n": "list items",
    "1. a\n": "list items",
    "    - a\n": "list items",
    "a|b\n-|-\n": "table rows",
    "|": "table cells",
    "[a]: b\n": "link definitions",
    "[a]:\n": "link definitions",
    "```a\n": "lines with ```",
    "~~~\n": "lines with ```",
    "*_": "“*”",
    "__a": "“_”",
    "a\n\n": "lines",
    "1. ": "nested 20 levels deep",
    "* ": "nested 20 levels deep",
    "> ": "nested 20 levels deep",
    "> - 1. ": "nested 20 levels deep",
    "[": "not closed",
}
FRAGMENTS = [
    *("=\n", "a\n=\n", "-\n", "\n- ", "# a\n", "1. ", "* ", "> ", "- a\n", "  - a\n", "\t- a\n", "    a\n", "\t", "\\"),
    *(
        "[",
        "]",
        "![",
        "](",
        "[a](b)",
        "[a][b]",
        "[a]: b\n",
        "[a]:\n",
        "[^1]: a\n",
        "`",
        "``",
        "```a\n",
        "~~~\n",
        "---\n",
    ),
    *(
        "*",
        "_",
        "**a ",
        "_a_ ",
        "***a",
        "a*b*",
        "|",
        "|a|b|\n|-|-|\n",
        "<b>",
        "<",
        "<!--",
        "<a@b.c>",
        "http://a ",
        "&#1;",
    ),
    *("&amp;", "@14:14 ", "\n", "\n\n", " ", "  \n", "a", "a b\n", "(", ")", '"', "é", "\u200b", "://", "1.\n\n", "+ "),
]


def repeated(unit: str) -> str:
    return (unit * markdown.MAX_BODY)[: markdown.MAX_BODY - 1] + "x"


@pytest.mark.parametrize(("unit", "construct"), REJECTED.items())
def test_too_much_of_one_construct_is_named(unit: str, construct: str) -> None:
    with pytest.raises(ValidationError) as caught:
        markdown.render(repeated(unit))
    assert construct in " ".join(caught.value.messages)


@pytest.mark.parametrize(
    "unit", ["a ", "[a](b)", "`a`", "<b>", "&amp;", "https://a.example ", "word *word* word word "]
)
def test_ordinary_constructs_may_fill_the_whole_text(unit: str) -> None:
    assert markdown.render(repeated(unit))


def test_a_code_block_may_contain_all_of_it() -> None:
    text = "```\n" + "# a\n* b_c | d\n> > > > 1. x\n" * 800 + "```"
    assert markdown.render(text).count("# a") == 800


def test_a_long_report_is_far_from_the_limits() -> None:
    sections = [f"## Section {n}\n\n- one\n    - two\n\n1. first\n2. second\n\n> quoted\n\n---\n" for n in range(80)]
    table = "| a | b | c |\n|---|---|---|\n" + "| 1 | snake_case_name | *x* |\n" * 200
    assert markdown.render("\n".join([*sections, table])).count("<tr>") == 201


def test_twenty_levels_are_allowed_and_more_are_named() -> None:
    assert markdown.render("> " * 20 + "deep").count("<blockquote>") == 20
    with pytest.raises(ValidationError, match="This line is deeper: “> > >"):
        markdown.render("> " * 21 + "deep")


@pytest.mark.parametrize("seed", range(40))
def test_no_mixture_fails_or_takes_long(seed: int) -> None:
    chosen = random.Random(seed)
    parts = chosen.choices(FRAGMENTS, k=chosen.randint(1, 4))
    texts = [
        repeated("".join(parts)),
        "".join(chosen.choice(parts) for _ in range(markdown.MAX_BODY))[: markdown.MAX_BODY],
        (parts[0] * 12_500)[:12_500] + (parts[-1] * 12_500)[:12_500],
    ]
    for text in texts:
        started = time.process_time()
        with suppress(ValidationError):
            markdown.render(text)
        assert time.process_time() - started < SECONDS, parts


def words(seed: int, *, vocabulary: int, separator: str = " ") -> str:
    chosen = random.Random(seed)
    return separator.join(f"w{chosen.randrange(vocabulary)}" for _ in range(5000))


@pytest.mark.parametrize("vocabulary", [1, 5, 100, 4000])
@pytest.mark.parametrize("separator", [" ", "\n"])
def test_the_difference_of_two_long_texts_is_complete_and_fast(vocabulary: int, separator: str) -> None:
    old, new = (words(seed, vocabulary=vocabulary, separator=separator) for seed in (1, 2))
    started = time.process_time()
    changes = differences(old, new)
    assert time.process_time() - started < SECONDS
    assert "".join(change.old for change in changes) == old
    assert "".join(change.new for change in changes) == new


def test_one_changed_word_of_a_long_text_is_the_only_change() -> None:
    old = words(1, vocabulary=50) + "\n" + words(2, vocabulary=50)
    new = old.replace(" w7 ", " changed ", 1)
    assert [(c.old, c.new) for c in differences(old, new) if c.old != c.new] == [("w7", "changed")]
