"""What a step costs is added up, whoever does the work."""

import threading

from packshot.meter import Meter, current, metered, spent
from packshot.store.blobs import MemoryBlobs, MeteredBlobs


def test_adds_up_what_is_spent_inside() -> None:
    with metered() as meter:
        spent(device_seconds=0.25, read=10)
        spent(device_seconds=0.5, written=3)
    spent(read=1000)
    found = meter.cost()
    assert (found.device_seconds, found.bytes_read, found.bytes_written) == (0.75, 10, 3)


def test_nobody_measures_outside() -> None:
    spent(read=1)
    assert current() is None


def test_another_thread_adds_to_the_meter_that_it_was_given() -> None:
    with metered() as meter:
        given = current()
        assert isinstance(given, Meter)

        def work(account: Meter) -> None:
            spent(read=1)
            account.add(device_seconds=2.0)

        thread = threading.Thread(target=work, args=(given,))
        thread.start()
        thread.join()
    assert (meter.cost().device_seconds, meter.cost().bytes_read) == (2.0, 0)


def test_cpu_is_that_of_the_thread() -> None:
    with metered() as meter:
        sum(number * number for number in range(200_000))
        assert 0.001 < meter.cost().cpu_seconds < 10


def test_a_store_counts_what_goes_through_it() -> None:
    blobs = MeteredBlobs(MemoryBlobs())
    with metered() as meter:
        blobs.put("a", b"12345", "text/plain")
        assert blobs.put_new("b", b"123", "text/plain")
        assert not blobs.put_new("b", b"123", "text/plain")
        assert blobs.get("a") == b"12345"
    assert (meter.cost().bytes_written, meter.cost().bytes_read) == (11, 5)
