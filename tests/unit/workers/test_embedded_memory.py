"""What an embedded run still holds when its photos are done."""

from pathlib import Path

from models.fake import fake_models
from packshot.contract import CUTOUT, MAIN
from workers import photos
from workers.bench.photos import write
from workers.embedded import Embedded, settings_for


def test_a_finished_photo_is_held_no_longer(tmp_path: Path) -> None:
    embedded = Embedded(settings_for(tmp_path / "data"), fake_models(), concurrency=2)
    most = 0

    def look(*_: object) -> None:
        nonlocal most
        most = max(most, embedded.services.pixels.held)

    paths = write(tmp_path / "photos", 128, 3)
    embedded.process([photos.job(path, (CUTOUT, MAIN)) for path in paths], look)
    assert most > 0
    assert embedded.services.pixels.held == 0
