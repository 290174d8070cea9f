import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents import colors

HEX = st.integers(min_value=0, max_value=0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert colors.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colors.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colors.contrast("#ffffff", "#ffffff") == pytest.approx(1)


@given(HEX)
def test_the_nearest_colour_can_always_be_read(color: str) -> None:
    for backgrounds in (colors.LIGHT, colors.DARK):
        nearest = colors.nearest(color, *backgrounds)
        assert colors.is_hex(nearest)
        assert colors.contrast(nearest, *backgrounds) >= colors.AA
        assert colors.nearest(nearest, *backgrounds) == nearest


def test_what_is_no_colour_is_known() -> None:
    assert colors.is_hex("#2846A8")
    assert not any(colors.is_hex(text) for text in ("2846a8", "#28a", "#2846ag", "#2846a8;", "red", ""))


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    tokens = Path("static/css/tokens.css").read_text(encoding="utf-8")
    for name, light, dark in zip(("paper", "surface", "raised"), colors.LIGHT, colors.DARK, strict=True):
        values = re.findall(rf"--{name}: (#\w+);", tokens)
        assert [text if len(text) == 7 else "#ffffff" for text in values] == [light, dark]
    assert f"--accent: {colors.ACCENT};" in tokens
