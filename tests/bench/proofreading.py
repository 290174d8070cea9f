"""How right the proofreader is on the labelled sentences, and how long it takes: `python -m tests.bench.proofreading`.

Prints precision and recall for each rule, then milliseconds of CPU for ordinary and for hostile texts. What matters of
the latter is the ratio: five times the text may take about five times as long.
"""

import os


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-this-bench")
    django.setup()

    from tests.bench.proofreading_figures import print_all

    print_all()


if __name__ == "__main__":
    main()
