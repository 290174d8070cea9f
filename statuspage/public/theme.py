def accent_code(colors: tuple[str, str]) -> str:
    """Return the part of a stylesheet's path that names its two colors (`#rrggbb`, for light and dark mode)."""
    return "-".join(color.removeprefix("#") for color in colors)
