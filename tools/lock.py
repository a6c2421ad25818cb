"""Compile the hash-locked requirements: `python tools/lock.py`, or `--check` to compare.

Plain requirements with hashes and without addresses: pip and uv both install them, from whatever
index the user has set, and a changed file on that index is refused.
"""

import argparse
import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROJECT = "pyproject.toml"
#: What every command of a service needs, but for a runtime of models.
SERVICE = (PROJECT, "--extra", "worker", "--extra", "console")
#: Lock file -> what goes into it.
LOCKS = {
    "base": (PROJECT,),
    "build": ("--group", "build"),
    "cpu": (*SERVICE, "--extra", "cpu"),
    "gpu": (*SERVICE, "--extra", "gpu"),
    # The CPU image: the models run in bfloat16 where the processor can.
    "openvino": (*SERVICE, "--extra", "cpu", "--extra", "openvino"),
    # The image of the operators' view: it runs no steps and needs no runtime for models.
    "flower": (PROJECT, "--extra", "worker", "--extra", "flower"),
    # What traces add to an image: installed beside `cpu` or `gpu`.
    "otel": (PROJECT, "--extra", "otel"),
    "dev": (
        *(*SERVICE, "--extra", "cpu", "--extra", "openvino"),
        *("--extra", "flower", "--extra", "otel", "--group", "dev"),
    ),
}


def compile_lock(name: str, seed: Path, output: Path) -> None:
    """Resolve one lock into `output`, keeping the versions that `seed` has."""
    if seed.exists() and seed != output:
        output.write_bytes(seed.read_bytes())
    subprocess.run(
        (
            *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
            *("--python-version", "3.11", "--no-header", "--no-annotate"),
            *("--no-emit-index-url", *LOCKS[name], "-o", str(output)),
        ),
        cwd=ROOT,
        check=True,
    )


def main() -> int:
    """Compile, or with --check say which locks no longer match pyproject.toml."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 if stale")
    check = parser.parse_args().check
    stale = 0
    for name in LOCKS:
        lock = ROOT / "requirements" / f"{name}.lock"
        if not check:
            compile_lock(name, lock, lock)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            fresh = Path(scratch) / lock.name
            compile_lock(name, lock, fresh)
            old, new = lock.read_text().splitlines(), fresh.read_text().splitlines()
        for line in difflib.unified_diff(old, new, str(lock), "fresh", lineterm=""):
            print(line)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
