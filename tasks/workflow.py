"""The way of one image, as a Celery chain.

    intake -> prepare -> ocr -> recognition -> matting -> finish

Each hop carries the job's id, the step and the lane, nothing else: what a step needs lies in the
ledger and in the object store. A chain can start at any step, which is how a failed or forgotten
job is resumed. A worker that serves the next step too goes on without a hop (`Runner.deliver`),
and the chain's rest travels from where it stops.
"""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import Celery, Task, chain
from celery import signature as celery_signature

from packshot.broker import named_errors
from packshot.contract import Job, Step, queue_name, task_name
from packshot.errors import PackshotError
from packshot.store.review_items import Restart

log = logging.getLogger(__name__)

#: How long a step waits in place for a broker that is away: some 15 seconds. For a full queue it
#: does not wait, since the client waits only between connection attempts: the hop goes back.
HOP_PATIENCE = {"max_retries": 10, "interval_start": 0.2, "interval_step": 0.3, "interval_max": 2}


def signature(app: Celery, job_id: UUID, job: Job, step: Step) -> Any:
    """One hop: immutable, so that no result travels, and routed to the queue of its lane."""
    queue = queue_name(step, job.lane)
    return app.signature(
        task_name(step),
        kwargs={"job": str(job_id), "step": step, "lane": job.lane},
        immutable=True,
        options={
            "queue": queue,
            "routing_key": queue,
            # A message that no queue takes is an error at the sender, not a silent loss.
            "mandatory": True,
            # What Flower shows, for people; nobody reads it back.
            "kwargsrepr": f"{job.sku or job.job_id} · {step} · {job.source}/{job.job_id}",
        },
    )


def start(app: Celery, job_id: UUID, job: Job, *, first: Step = Step.PREPARE) -> None:
    """Publish the chain of a job from `first` on, confirmed by the broker.

    Raises:
        BrokerUnavailable: the broker is away or the queue is full. The chain may have started.
        ConfigurationError: there is no such queue, or one with other arguments.
    """
    steps = job.chain[job.chain.index(first) :]
    with named_errors():
        # The client would try sixty times in a fifth of a second: it waits only between connection
        # attempts. Once more mends a connection that died idle; for the rest the caller waits.
        chain(*(signature(app, job_id, job, step) for step in steps)).apply_async(
            retry_policy={"max_retries": 1}
        )


def hand_on(task: Task, step: Step | None) -> None:
    """Publish the hop to `step` of the chain that `task` belongs to, confirmed by the broker.

    Steps before it that the chain still has were done under this message. None ends the chain.

    Celery would do it after the task has ended, and a refusal would make the task a failure among
    the dead letters. Here the refused message goes back to its queue: its step is done, so what it
    costs to try again is a query, and the thread is free to empty the queue that is full.

    Raises:
        BrokerUnavailable: the broker is away or the queue is full. The hop may have been published.
        ConfigurationError: there is no such queue.
    """
    hops = list(task.request.chain or ())
    while hops:
        hop = celery_signature(hops.pop(), app=task.app)
        if hop.kwargs["step"] == step:
            with named_errors():
                hop.apply_async(
                    chain=hops,
                    parent_id=task.request.id,
                    root_id=task.request.root_id or task.request.id,
                    retry_policy=HOP_PATIENCE,
                )
            break
    task.request.chain = None  # Celery has nothing left to do


def restarter(app: Celery) -> Callable[[Restart], None]:
    """What publishes a corrected job again; a broker that is away costs only the reconciler's time.

    Layers that know no Celery get it handed in.
    """

    def restart(it: Restart) -> None:
        try:
            start(app, it.id, it.job, first=it.step)
        except PackshotError as error:
            log.warning("job %s waits before %s for the reconciler: %s", it.id, it.step, error)

    return restart
