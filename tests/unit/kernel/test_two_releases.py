"""Two releases share the jobs while one replaces the other: what is kept is read tolerantly."""

import pytest
from pydantic import BaseModel, ValidationError

from packshot import results
from packshot.contract import Image, Job, Output

JOB = Job(
    version=1,
    source="tests",
    job_id="1",
    image=Image(uri="s3://in/1.jpg"),
    outputs=(Output(name="main", background="#ffffff", format="jpeg", size=500),),
)
MODELS = [
    one
    for one in vars(results).values()
    if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel
]


def test_a_kept_job_may_have_fields_of_a_later_release() -> None:
    kept = JOB.model_dump(mode="json")
    kept["newer"] = 1
    kept["image"]["newer"] = 1
    kept["outputs"][0]["newer"] = 1
    assert Job.kept(kept) == JOB
    with pytest.raises(ValidationError):
        Job.model_validate(kept)  # from a producer it is a mistake


@pytest.mark.parametrize("model", MODELS, ids=lambda one: one.__name__)
def test_a_steps_result_may_have_them_too(model: type[BaseModel]) -> None:
    assert model.model_config.get("extra") == "ignore"


def test_what_the_release_before_has_left_out_has_a_default() -> None:
    before = {"name": "u2netp", "version": "1.0", "sha256": "0", "licence": "Apache-2.0"}
    assert results.ModelInfo.model_validate({**before, "newer": 1}).runtime == ""
