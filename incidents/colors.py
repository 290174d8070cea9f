"""Color contrast (WCAG 2.2, success criterion 1.4.3). Pure functions on `#rrggbb`."""

import re

AA = 4.5
# The backgrounds of links: paper, surface and raised in tokens.css.
LIGHT = ("#fdfdfc", "#f4f5f4", "#ffffff")
DARK = ("#131518", "#1c1f23", "#202429")
# The color of links and focus outlines in tokens.css, on light backgrounds.
ACCENT = "#2846a8"
STEPS = 200

_Rgb = tuple[float, float, float]


def is_hex(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-f]{6}", text, re.ASCII | re.IGNORECASE) is not None


def contrast(color: str, *backgrounds: str) -> float:
    """Return the lowest contrast ratio of `color` to any of `backgrounds`, from 1 to 21 (as WCAG defines it)."""
    luminance = _luminance(_rgb(color))
    return min(_ratio(luminance, _luminance(_rgb(background))) for background in backgrounds)


def nearest(color: str, *backgrounds: str) -> str:
    """Return the color closest to `color` that reaches AA on all `backgrounds`.

    It is mixed with black or white, as little as necessary.
    """
    if contrast(color, *backgrounds) >= AA:
        return color.lower()
    is_light = _luminance(_rgb(backgrounds[0])) > 0.5
    end: _Rgb = (0, 0, 0) if is_light else (1, 1, 1)
    mixed = (_hex(_mix(_rgb(color), end, step / STEPS)) for step in range(1, STEPS + 1))
    return next(candidate for candidate in mixed if contrast(candidate, *backgrounds) >= AA)


def as_hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


def _ratio(candidate: float, other: float) -> float:
    lighter, darker = max(candidate, other), min(candidate, other)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: _Rgb) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(color: _Rgb, end: _Rgb, share: float) -> _Rgb:
    red, green, blue = (luminance + (other - luminance) * share for luminance, other in zip(color, end, strict=True))
    return red, green, blue


def _rgb(text: str) -> _Rgb:
    red, green, blue = (int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _hex(rgb: _Rgb) -> str:
    red, green, blue = (round(part * 255) for part in rgb)
    return as_hex(red, green, blue)
