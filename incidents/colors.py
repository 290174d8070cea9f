"""Whether a colour can be read (WCAG 2.2, success criterion 1.4.3). Pure functions on `#rrggbb`."""

import re

AA = 4.5
# The grounds that links stand on: paper, surface and raised of tokens.css.
LIGHT = ("#fdfdfc", "#f4f5f4", "#ffffff")
DARK = ("#131518", "#1c1f23", "#202429")
# Links and focus of tokens.css, on light ground.
ACCENT = "#2846a8"
STEPS = 200

_Rgb = tuple[float, float, float]


def is_hex(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-f]{6}", text, re.ASCII | re.IGNORECASE) is not None


def contrast(colour: str, *grounds: str) -> float:
    """The lowest contrast ratio of `colour` to any of `grounds`, from 1 to 21 (WCAG's definition)."""
    own = _luminance(_rgb(colour))
    return min(_ratio(own, _luminance(_rgb(ground))) for ground in grounds)


def nearest(colour: str, *grounds: str) -> str:
    """The colour closest to `colour` that reaches AA on all `grounds`: mixed with black or with white, no more than
    needed. `colour` itself if it does already."""
    if contrast(colour, *grounds) >= AA:
        return colour.lower()
    is_light = _luminance(_rgb(grounds[0])) > 0.5
    end: _Rgb = (0, 0, 0) if is_light else (1, 1, 1)
    mixed = (_hex(_mix(_rgb(colour), end, step / STEPS)) for step in range(1, STEPS + 1))
    return next(one for one in mixed if contrast(one, *grounds) >= AA)


def as_hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


def _ratio(one: float, other: float) -> float:
    lighter, darker = max(one, other), min(one, other)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: _Rgb) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: _Rgb, end: _Rgb, share: float) -> _Rgb:
    red, green, blue = (own + (other - own) * share for own, other in zip(colour, end, strict=True))
    return red, green, blue


def _rgb(text: str) -> _Rgb:
    red, green, blue = (int(text[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _hex(rgb: _Rgb) -> str:
    red, green, blue = (round(part * 255) for part in rgb)
    return as_hex(red, green, blue)
