from django.conf import settings


def test_our_own_scripts_stay_small() -> None:
    scripts = (settings.BASE_DIR / "static" / "js").glob("*.js")
    assert 0 < sum(script.stat().st_size for script in scripts) <= 15 * 1024
