"""The command `candor`, also available as `python -m statuspage.api.cli`."""

import json
import os
import sys
from collections.abc import Sequence

from statuspage.api.cli.arguments import parser
from statuspage.api.cli.client import CliError, Server
from statuspage.api.cli.completion import script


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code (listed in docs/api.md). Wrong usage raises SystemExit(2), as argparse does."""
    root = parser()
    options = root.parse_args(arguments)
    if "shell" in options:
        sys.stdout.write(script(root, options.shell))
        return 0
    try:
        server = Server(os.environ.get("CANDOR_URL", ""), os.environ.get("CANDOR_TOKEN", ""))
        body, lines, code = options.run(server, options)
    except CliError as error:
        sys.stderr.write(f"candor: {error}\n")
        return error.code
    sys.stdout.write(json.dumps(body, indent=2) + "\n" if options.json else "".join(f"{line}\n" for line in lines))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
