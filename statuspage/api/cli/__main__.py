"""`candor`, and `python -m statuspage.api.cli`."""

import json
import os
import sys
from collections.abc import Sequence

from statuspage.api.cli.arguments import parser
from statuspage.api.cli.client import Server, Trouble
from statuspage.api.cli.completion import script


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code (docs/api.md lists them); wrong usage leaves by argparse's SystemExit(2)."""
    typed = parser()
    asked = typed.parse_args(arguments)
    if "shell" in asked:
        sys.stdout.write(script(typed, asked.shell))
        return 0
    try:
        server = Server(os.environ.get("CANDOR_URL", ""), os.environ.get("CANDOR_TOKEN", ""))
        answer, lines, code = asked.run(server, asked)
    except Trouble as trouble:
        sys.stderr.write(f"candor: {trouble}\n")
        return trouble.code
    sys.stdout.write(json.dumps(answer, indent=2) + "\n" if asked.json else "".join(f"{line}\n" for line in lines))
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
