"""The command line: commands by entry point, and errors as exit codes with a sentence."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from packshot import __version__, cli


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Run the command in this process; returns the exit code, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["packshot", *arguments])
    # click would name the program after the module that Python was started with: pytest.
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    code = end.value.code
    if isinstance(code, str):  # Python prints it and exits with 1
        return 1, out, err + code
    return int(code or 0), out, err


def test_help_lists_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "--help")
    listed = out.split("Commands:")[1].split()
    names = {point.name for point in entry_points(group=cli.GROUP)}
    assert code == 0
    assert {"run", "worker", "submit", "status", "result", "retry", "cancel"} <= names
    assert names <= set(listed)


@pytest.mark.parametrize("name", sorted(point.name for point in entry_points(group=cli.GROUP)))
def test_every_command_explains_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, out, _ = run(monkeypatch, capsys, name, "--help")
    assert code == 0
    assert out.startswith(f"Usage: packshot {name}")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        pytest.param(("bake",), "No such command 'bake'", id="unknown command"),
        pytest.param(("--loud",), "No such option", id="unknown option"),
        pytest.param(("worker", "cook"), "'cook' is not one of", id="unknown role"),
        pytest.param(("worker",), "ROLE", id="missing argument"),
        pytest.param(("result", "listing"), "JOB_ID", id="missing job"),
        pytest.param(("run",), "--sample", id="nothing to do"),
        pytest.param((), "Usage: packshot", id="nothing"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    word: str,
) -> None:
    code, out, err = run(monkeypatch, capsys, *arguments)
    assert code == 2
    assert word in out + err


def test_a_named_error_is_one_sentence_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PACKSHOT_THREADS", "none")
    code, out, err = run(monkeypatch, capsys, "status", "listing", "1")
    assert (code, out) == (1, "")
    assert err.startswith("packshot: configuration: The settings are wrong. PACKSHOT_THREADS: ")
    assert len(err.splitlines()) == 1


def test_a_file_that_is_no_job_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    code, _, err = run(monkeypatch, capsys, "run", f"{tmp_path}/nothing.jpg")
    assert code == 1
    assert err.startswith("packshot: not_found: There is no file or folder")


def test_the_version_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, capsys, "--version")[:2] == (0, f"packshot, version {__version__}\n")


def test_the_base_install_is_told_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    code, _, err = run(monkeypatch, capsys, "run")
    assert code == 1
    assert "pip install 'packshot[worker,cpu]'" in err
    assert "packshot.client" in err


def test_help_loads_nothing_heavy() -> None:
    heavy = ["celery", "numpy", "cv2", "boto3", "onnxruntime", "PIL"]
    code = (
        "import sys; sys.argv = ['packshot', '--help']\n"
        "from packshot import cli\n"
        "try:\n    cli.main()\n"
        f"except SystemExit:\n    print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
