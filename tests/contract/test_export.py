"""Exports are read back as the tools that use them would."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.export.pixels import Pixels
from packshot.export.run import FORMATS, Exported, export
from packshot.imaging.decode import Limits
from packshot.imaging.encode import encode_grey
from packshot.store.examples import BATCH, Example, Examples
from packshot.store.persons import Person
from packshot.store.review_items import (
    CorrectedLine,
    Correction,
    Decision,
    PickedCategory,
    RejectReason,
    Ruling,
)
from packshot.store.tickets import Artifact
from tests.support.review_bench import ReviewBench

APPROVE = Ruling(decision=Decision.APPROVED)
REJECT = Ruling(decision=Decision.REJECTED, reason=RejectReason.DUPLICATE)
#: 40 x 10 pixels, and the same turned by 90 degrees.
FLAT = ((20.0, 30.0), (60.0, 30.0), (60.0, 40.0), (20.0, 40.0))
TALL = ((100.0, 20.0), (110.0, 20.0), (110.0, 60.0), (100.0, 60.0))
TEA = PickedCategory(id=9, en="tea", zh="茶", product=True)


@pytest.fixture
def ann(bench: ReviewBench) -> Person:
    return bench.person()


@pytest.fixture
def reviewed(bench: ReviewBench, ann: Person, tmp_path: Path) -> ReviewBench:
    """A corrected photo, and an item that was rejected."""
    job = bench.photographed(tmp_path / "oolong.png")
    hold = bench.held(ann, job.id)
    alpha = np.zeros((240, 320), np.uint8)
    alpha[100:200, 50:150] = 255
    data = encode_grey(alpha)
    bench.blobs.put("work/edit.png", data, "image/png")
    bench.reviews.keep_matte(hold, Artifact("matte_edit", "work/edit.png", "image/png", 1, "0"))
    correction = Correction(
        text=(
            CorrectedLine(polygon=FLAT, text="Oolong\u2003乌龙茶", script="mixed"),
            CorrectedLine(polygon=TALL, text="100 g", script="latin", vertical=True),
        ),
        category=TEA,
        matte="work/edit.png",
    )
    ruling = Ruling(decision=Decision.CORRECTED, correction=correction)
    decided = bench.reviews.decide(hold, ruling, ann)
    assert decided.restart
    bench.run(decided.restart)
    bench.clock.now += timedelta(hours=1)
    bench.reviews.decide(bench.held(ann, bench.queued("cat")), REJECT, ann)
    return bench


def written(bench: ReviewBench, name: str, folder: Path, **only: Any) -> Exported:
    pixels = Pixels(bench.blobs, Limits(max_bytes=10**7, max_pixels=10**7))
    return export(Examples(bench.engine).each(**only), name, folder, pixels)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    found = cv2.imread(str(path), flags)
    assert found is not None, path
    return np.asarray(found, np.uint8)


def test_json_lines_hold_what_both_said(reviewed: ReviewBench, ann: Person, tmp_path: Path) -> None:
    assert written(reviewed, "jsonl", tmp_path / "out") == Exported(2, 0, 0)
    corrected, rejected = lines(tmp_path / "out" / "items.jsonl")
    assert corrected["corrected"] == ["text", "category", "matte"]
    assert [line["text"] for line in corrected["labels"]["text"]] == ["Oolong\u2003乌龙茶", "100 g"]
    assert corrected["labels"]["category"]["id"] == 9
    assert corrected["before"]["category"]["id"] == 692
    assert corrected["labels"]["matte"] != corrected["before"]["matte"]
    assert (corrected["reviewer"], corrected["sku"]) == (str(ann.id), "A1")
    assert corrected["models"]
    assert (rejected["decision"], rejected["reason"]) == ("rejected", "duplicate")
    provenance = lines(tmp_path / "out" / "provenance.jsonl")
    assert [one["job_id"] for one in provenance] == ["photo", "cat"]
    assert "ann" not in (tmp_path / "out" / "items.jsonl").read_text(encoding="utf-8")


def test_label_files_of_pp_ocr_and_their_crops(reviewed: ReviewBench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert written(reviewed, "ppocr", out) == Exported(1, 1, 0)
    ((image, boxes),) = [
        line.split("\t") for line in (out / "det_gt.txt").read_text(encoding="utf-8").splitlines()
    ]
    photo = picture(out / image)
    assert photo.shape == (240, 320, 3)
    assert json.loads(boxes) == [
        {"transcription": "Oolong 乌龙茶", "points": [[20, 30], [60, 30], [60, 40], [20, 40]]},
        {"transcription": "100 g", "points": [[100, 20], [110, 20], [110, 60], [100, 60]]},
    ]
    flat, tall = [
        line.split("\t") for line in (out / "rec_gt.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert (flat[1], tall[1]) == ("Oolong 乌龙茶", "100 g")
    assert (picture(out / flat[0]) == photo[30:40, 20:60]).all()
    turned = picture(out / tall[0])
    assert turned.shape == (10, 40, 3)
    assert (turned == np.rot90(photo[20:60, 100:110])).all()


def test_folders_of_image_alpha_and_trimap(reviewed: ReviewBench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert written(reviewed, "folders", out) == Exported(1, 1, 0)
    (name,) = [path.name for path in (out / "image").iterdir()]
    alpha = picture(out / "alpha" / name, cv2.IMREAD_GRAYSCALE)
    trimap = picture(out / "trimap" / name, cv2.IMREAD_GRAYSCALE)
    assert picture(out / "image" / name).shape[:2] == alpha.shape == trimap.shape
    assert set(np.unique(trimap)) == {0, 128, 255}
    assert (alpha[trimap == 255] == 255).all()
    assert (alpha[trimap == 0] == 0).all()
    assert trimap[100, 50] == 128, "the edge is unknown"
    assert (trimap[150, 100], trimap[10, 10]) == (255, 0)
    (entry,) = lines(out / "provenance.jsonl")
    assert f"{entry['name']}.png" == name


def test_coco_boxes_masks_and_text(reviewed: ReviewBench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert written(reviewed, "coco", out) == Exported(1, 1, 0)
    coco = json.loads((out / "annotations.json").read_text(encoding="utf-8"))
    (image,) = coco["images"]
    assert picture(out / "images" / image["file_name"]).shape == (
        image["height"],
        image["width"],
        3,
    )
    names = {one["id"]: one["name"] for one in coco["categories"]}
    product, *texts = coco["annotations"]
    assert names[product["category_id"]] == "tea"
    assert product["bbox"] == [50, 100, 100, 100]
    mask = decoded(product["segmentation"])
    assert (mask.sum(), product["area"]) == (10_000, 10_000)
    assert mask[100:200, 50:150].all()
    assert [one["attributes"]["text"] for one in texts] == ["Oolong\u2003乌龙茶", "100 g"]
    assert texts[0]["segmentation"] == [[20, 30, 60, 30, 60, 40, 20, 40]]
    assert texts[0]["bbox"] == [20, 30, 40, 10]
    assert {one["image_id"] for one in coco["annotations"]} == {image["id"]}
    assert len({one["id"] for one in coco["annotations"]}) == 3
    assert sorted(path.name for path in out.iterdir()) == [
        "annotations.json", "images", "provenance.jsonl"
    ]  # fmt: skip


def decoded(code: dict[str, Any]) -> NDArray[np.bool_]:
    """A run-length code as a mask, as COCO's own tool reads it."""
    height, width = code["size"]
    values = np.arange(len(code["counts"])) % 2 == 1
    return np.repeat(values, code["counts"]).reshape((width, height)).T


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_same_items_give_the_same_files(
    reviewed: ReviewBench, tmp_path: Path, name: str
) -> None:
    def contents() -> dict[str, bytes]:
        return {
            str(path.relative_to(out)): path.read_bytes()
            for path in sorted(out.rglob("*"))
            if path.is_file()
        }

    out = tmp_path / "out"
    first = written(reviewed, name, out)
    files = contents()
    assert written(reviewed, name, out) == first
    assert contents() == files
    assert not [name for name in files if name.endswith(".part")]


def test_only_what_was_corrected_or_decided_since(reviewed: ReviewBench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert written(reviewed, "jsonl", out, corrected_only=True).written == 1
    assert [one["job_id"] for one in lines(out / "items.jsonl")] == ["photo"]
    assert written(reviewed, "jsonl", out, since=reviewed.clock.now).written == 1
    assert [one["job_id"] for one in lines(out / "items.jsonl")] == ["cat"]


def test_a_picture_that_is_gone_is_left_out(reviewed: ReviewBench, tmp_path: Path) -> None:
    (example, *_) = Examples(reviewed.engine).each()
    reviewed.blobs.delete(example.result["photo"]["work_key"])
    assert written(reviewed, "ppocr", tmp_path / "out") == Exported(0, 1, 1)


def test_a_correction_counts_when_its_pictures_are_rendered(
    bench: ReviewBench, ann: Person, tmp_path: Path
) -> None:
    job = bench.photographed(tmp_path / "a.png")
    ruling = Ruling(decision=Decision.CORRECTED, correction=Correction(brand="Ding"))
    decided = bench.reviews.decide(bench.held(ann, job.id), ruling, ann)
    assert list(Examples(bench.engine).each()) == []
    assert decided.restart
    bench.run(decided.restart)
    (example,) = Examples(bench.engine).each()
    assert example.result["recognition"]["brand"]["value"] == "Ding"


def test_an_export_that_breaks_leaves_the_files_before_it(
    reviewed: ReviewBench, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    written(reviewed, "jsonl", out)
    before = (out / "items.jsonl").read_bytes()

    def breaking() -> Iterator[Example]:
        yield from Examples(reviewed.engine).each()
        raise ConnectionError

    pixels = Pixels(reviewed.blobs, Limits(max_bytes=10**7, max_pixels=10**7))
    with pytest.raises(ConnectionError):
        export(breaking(), "jsonl", out, pixels)
    assert (out / "items.jsonl").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["items.jsonl", "provenance.jsonl"]


def test_items_are_read_in_batches_without_gap_or_repeat(
    bench: ReviewBench, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BATCH == 100
    monkeypatch.setattr("packshot.store.examples.BATCH", 3)
    for number in range(7):
        bench.reviews.decide(bench.held(ann, bench.queued(str(number))), APPROVE, ann)
    assert [one.job_id for one in Examples(bench.engine).each()] == list("0123456")
