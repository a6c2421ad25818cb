"""What Flower shows of a hop."""

from uuid import UUID

import pytest

from packshot.contract import Image, Job, Step
from packshot.settings import Settings
from tasks.app import create_app
from tasks.workflow import signature


@pytest.mark.parametrize(
    ("sku", "told"),
    [
        pytest.param("ABC-1", "ABC-1 · ocr · shop/42", id="SKU"),
        pytest.param("", "42 · ocr · shop/42", id="without a SKU"),
    ],
)
def test_says_which_product_it_is(sku: str, told: str) -> None:
    job = Job(version=1, source="shop", job_id="42", sku=sku, image=Image(uri="s3://in/1.jpg"))
    hop = signature(create_app(Settings()), UUID(int=1), job, Step.OCR)
    assert hop.options["kwargsrepr"] == told
    assert set(hop.kwargs) == {"job", "step", "lane"}
