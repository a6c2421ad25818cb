"""Write docs/configuration.md from the settings: `python tools/configuration.py [--check]`."""

import sys
from pathlib import Path
from typing import get_args

from pydantic import SecretStr

from packshot.settings import Settings

TARGET = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
HEAD = """# Configuration

Generated from `packshot/settings.py`. Each setting is an environment variable.

| variable | default | meaning |
|---|---|---|
"""


def render() -> str:
    """The whole page."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = field.default
        if SecretStr in (field.annotation, *get_args(field.annotation)) and default is not None:
            default = default.get_secret_value()
        shown = "" if default is None or default == () else f"`{default}`"
        lines.append(f"| `PACKSHOT_{name.upper()}` | {shown} | {field.description} |\n")
    return HEAD + "".join(lines)


def main() -> int:
    """Write the page, or with --check say whether it is stale."""
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text(encoding="utf-8") != render())
    TARGET.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
