"""Prints one of the README's two commands (1 or 2), or the requirements of an extra of pyproject.toml (--extra NAME).

The check in `.ci/run` takes its commands from here, so that what it runs is what the README says.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def commands(readme: str) -> list[str]:
    """The text of the README's `bash` blocks, in order; the README holds exactly two."""
    return [block.strip() for block in re.findall(r"^```bash\n(.*?)^```$", readme, flags=re.S | re.M)]


def extra(name: str) -> list[str]:
    """The requirements that pyproject.toml lists for the extra `name`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["optional-dependencies"][name])


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--extra"]:
        print("\n".join(extra(arguments[1])))
        return
    found = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    if len(found) != 2:
        sys.exit(f"README.md holds {len(found)} bash blocks; it should hold the two commands and no others.")
    print(found[int(arguments[0]) - 1])


if __name__ == "__main__":
    main(sys.argv[1:])
