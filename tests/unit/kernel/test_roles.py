"""Roles and queues: everything is served, and no routing key hides behind another."""

from itertools import permutations
from typing import Any

import pytest

from packshot.contract import EventType, Lane, Step, queue_name, task_name
from packshot.errors import ConfigurationError
from tasks.topology import every_queue, intake_queues, stage_queues
from workers.roles import ROLES, role

QUEUES = every_queue(1000)


@pytest.mark.parametrize("name", ROLES)
def test_a_role_has_stages_that_exist_each_once(name: str) -> None:
    one = role(name)
    assert one.name == name
    assert set(one.steps) <= set(Step)
    assert len(set(one.steps)) == len(one.steps) > 0
    assert one.concurrency >= 1
    assert set(one.queues()) <= {queue.name for queue in stage_queues(1)}


def test_the_role_all_serves_every_stage_and_lane() -> None:
    every = {queue_name(step, lane) for step in Step for lane in Lane}
    assert set(role("all").queues()) == every == {queue.name for queue in stage_queues(1)}
    assert role("all").intake


def test_the_small_roles_together_do_everything() -> None:
    steps = [step for name in ("io", "ocr", "recognition", "matting") for step in role(name).steps]
    assert sorted(steps) == sorted(Step)
    assert sorted((*role("io").steps, *role("gpu").steps)) == sorted(Step)
    assert [name for name in ROLES if role(name).intake] == ["io", "all"]


def test_live_queues_come_first() -> None:
    assert role("io").queues() == (
        "packshot.prepare.live",
        "packshot.finish.live",
        "packshot.prepare.bulk",
        "packshot.finish.bulk",
    )
    assert role("ocr").queues((Lane.BULK,)) == ("packshot.ocr.bulk",)


def test_an_unknown_role_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="'gpus'; the roles are io, ocr, recognition"):
        role("gpus")


def test_no_routing_key_is_a_dotted_suffix_of_another() -> None:
    # Celery's delayed delivery binds `#.<routing key>`: a suffix would get the other's messages.
    keys = {str(queue.routing_key) for queue in QUEUES} | {kind.value for kind in EventType}
    assert len(keys) >= len(QUEUES)
    queues = {str(queue.routing_key) for queue in stage_queues(1)}
    clashes = [
        (one, other)
        for one, other in permutations(keys, 2)
        if one in queues and other.endswith(f".{one}")
    ]
    assert clashes == []
    own = {str(queue.routing_key) for queue in QUEUES}
    assert [pair for pair in permutations(own, 2) if pair[1].endswith(f".{pair[0]}")] == []


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_a_queue_is_durable_replicated_and_named_after_us(queue: Any) -> None:
    assert queue.durable
    assert not queue.auto_delete
    assert queue.queue_arguments["x-queue-type"] == "quorum"
    assert queue.name.startswith("packshot.")


@pytest.mark.parametrize(
    "queue", [*stage_queues(77), *intake_queues(77)], ids=lambda queue: queue.name
)
def test_a_working_queue_refuses_when_full_and_keeps_what_dies(queue: Any) -> None:
    arguments = queue.queue_arguments
    assert arguments["x-max-length"] == 77
    assert arguments["x-overflow"] == "reject-publish"
    assert arguments["x-dead-letter-exchange"] == "packshot.dlx"
    assert arguments["x-dead-letter-strategy"] == "at-least-once"


def test_wire_names_do_not_follow_module_paths() -> None:
    assert [task_name(step) for step in Step] == [f"packshot.{step}" for step in Step]
