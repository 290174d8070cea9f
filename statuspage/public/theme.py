def accent_code(colours: tuple[str, str]) -> str:
    """What a stylesheet with these two colours (`#rrggbb`, on light and on dark ground) is called in its address."""
    return "-".join(colour.removeprefix("#") for colour in colours)
