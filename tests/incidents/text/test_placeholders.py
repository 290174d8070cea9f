import pytest

from incidents.text.default_templates import DEFAULT_TEMPLATES
from incidents.text.placeholders import Placeholder, fill, unfilled


def test_what_is_known_is_filled_in_and_the_rest_stays() -> None:
    known = {"component": "REST API", "started": "14:14 UTC"}
    text = "{{component}} fails since {{ Started }}: {{cause}}."
    assert fill(text, known) == "REST API fails since 14:14 UTC: {{cause}}."


def test_a_word_that_is_known_but_empty_is_a_gap_still() -> None:
    assert fill("{{component}}", {"component": ""}) == "{{component}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nothing to fill in.", []),
        ("One\n\n{{cause}} and {{next update}}", [Placeholder("cause", 3), Placeholder("next update", 3)]),
        ("Use `{{ item.name }}` in templates.", []),
        ("```\n{{cause}}\n```\nthen {{effect}}", [Placeholder("effect", 4)]),
        ("~~~ jinja\n{{cause}}", []),
        ("{{ item.name }} is no variable of ours, {} neither", []),
    ],
)
def test_gaps_are_found_with_their_lines_but_not_in_code(text: str, expected: list[Placeholder]) -> None:
    assert unfilled(text) == expected


def test_every_text_that_we_begin_with_has_a_name_of_its_own_and_a_gap_or_two() -> None:
    assert len({template.name for template in DEFAULT_TEMPLATES}) == len(DEFAULT_TEMPLATES)
    assert all(unfilled(template.body) or fill(template.body, {}) == template.body for template in DEFAULT_TEMPLATES)
