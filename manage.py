#!/usr/bin/env python
"""Django's command line, for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        getattr(settings, "DATA_DIR")  # noqa: B009 - reads the settings, whose errors are one line
    except ImproperlyConfigured as error:
        sys.exit(f"candor: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
