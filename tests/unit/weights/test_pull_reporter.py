"""What a person sees while weights are pulled."""

import io

import pytest
from rich.console import Console

from models.weights.progress import Progress
from models.weights.reporter import Reporter


def shown(*, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, color_system=None)
    with Reporter(console) as reporter:
        progress: Progress = reporter
        progress.stage("tiny", "checking")
        progress.stage("tiny", "downloading", 2_000_000)
        progress.advance("tiny", 1_500_000)
        progress.stage("tiny", "downloading", 2_000_000)
        progress.done("tiny", "pulled")
        progress.stage("other", "downloading", 4_000_000)
        progress.advance("other", 1_000_000)
    return file.getvalue()


def test_a_terminal_shows_the_last_state_of_each_model() -> None:
    tiny = [line for line in shown(terminal=True).splitlines() if "tiny" in line][-1]
    other = [line for line in shown(terminal=True).splitlines() if "other" in line][-1]

    assert "● tiny" in tiny
    assert "pulled" in tiny
    assert "bytes" not in tiny
    assert "other downloading" in other
    assert "1.0/4.0 MB" in other


@pytest.mark.parametrize("step", ["tiny: checking", "tiny: downloading", "tiny: pulled"])
def test_a_log_gets_each_step_once(step: str) -> None:
    assert shown(terminal=False).splitlines().count(step) == 1
