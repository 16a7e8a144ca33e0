"""The doctor's judgement of the host: library, clock, disk, ports."""

import errno
import socket
from contextlib import closing

import pytest

from broker.cli.doctor.clock import Reading, check_clock, judge_clock
from broker.cli.doctor.disk import (
    SYNCS,
    check_sync,
    judge_space,
    judge_sync,
    nearest_existing,
    sync_times_ms,
)
from broker.cli.doctor.findings import State, shown_bytes
from broker.cli.doctor.ports import check_port, check_ports, judge_port
from broker.cli.doctor.sqlite import check_sqlite, judge_sqlite
from broker.settings import ServerSettings

IN_2026_NS = 1_770_000_000_000_000_000
SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(("version", "state"), [("3.51.2", State.FAIL), ("3.51.3", State.OK)])
def test_a_sqlite_that_can_corrupt_the_store_fails(version, state) -> None:
    """By the rule that the broker starts by."""
    assert state == judge_sqlite(version).state


def test_the_library_of_this_process_is_looked_at() -> None:
    """The broker's tests would not run on any other."""
    assert State.OK == check_sqlite().state


@pytest.mark.parametrize(
    ("wall_ns", "passed_wall_ns", "state"),
    [
        (IN_2026_NS, SECOND_NS, State.OK),
        (IN_2026_NS, SECOND_NS + 50_000_000, State.OK),
        (IN_2026_NS, SECOND_NS + 200_000_000, State.WARN),
        (IN_2026_NS, -60 * SECOND_NS, State.WARN),
        (0, SECOND_NS, State.FAIL),
        (4_200_000_000 * SECOND_NS, SECOND_NS, State.FAIL),
    ],
)
def test_a_clock_is_judged_by_its_year_and_by_how_evenly_it_runs(wall_ns, passed_wall_ns, state) -> None:
    """While one second passed."""
    last = Reading(wall_ns + passed_wall_ns, 5 * SECOND_NS + SECOND_NS)
    assert state == judge_clock(Reading(wall_ns, 5 * SECOND_NS), last).state


def test_a_clock_is_told_in_utc() -> None:
    """The time zone of the host has no say in it."""
    reading = Reading(IN_2026_NS, 0)
    assert "2026-02-02 02:40:00 UTC, runs evenly" == judge_clock(reading, reading).detail
    assert "UTC" in check_clock().detail


@pytest.mark.parametrize(
    ("times_ms", "state"),
    [
        ([1.0, 2.0, 500.0], State.OK),
        ([10.0, 10.0, 10.0], State.OK),
        ([1.0, 10.1, 30.0], State.WARN),
    ],
)
def test_a_disk_is_slow_when_its_median_is(times_ms, state) -> None:
    """One slow write is nothing."""
    assert state == judge_sync(times_ms).state


def test_measuring_the_disk_leaves_nothing_behind(tmp_path) -> None:
    """Not even where the data directory will be."""
    assert SYNCS == len(sync_times_ms(tmp_path))
    assert "durable write" in check_sync(tmp_path / "data" / "deeper").detail
    assert [] == list(tmp_path.iterdir())


def test_what_is_not_there_yet_is_measured_above(tmp_path) -> None:
    """Where the broker would make it."""
    assert tmp_path == nearest_existing(tmp_path / "data" / "deeper")
    assert tmp_path == nearest_existing(tmp_path)


def test_a_place_that_cannot_be_written_fails(tmp_path) -> None:
    """A file is no directory."""
    (tmp_path / "data").touch()
    assert State.FAIL == check_sync(tmp_path / "data").state


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (10_000_000_000, 100_000_000_000, State.OK),
        (999_999_999, 2_000_000_000, State.WARN),
        (4_000_000_000, 100_000_000_000, State.WARN),
        (0, 0, State.WARN),
    ],
)
def test_room_is_counted_in_bytes_and_as_a_share(free, total, state) -> None:
    """Either can be too little."""
    assert state == judge_space(free, total).state


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (999, "999 B"), (86_016, "86 kB"), (1_500_000, "1.5 MB"), (2.5e12, "2.5 TB")],
)
def test_sizes_are_short(count, expected) -> None:
    """In the unit that fits."""
    assert expected == shown_bytes(count)


@pytest.mark.parametrize(
    ("outcomes", "running", "state", "told"),
    [
        ([0], False, State.OK, "free"),
        ([errno.EADDRNOTAVAIL, 0], False, State.OK, "free"),
        ([errno.EADDRINUSE], False, State.FAIL, "taken"),
        ([0, errno.EADDRINUSE], False, State.FAIL, "taken"),
        ([errno.EADDRINUSE], True, State.OK, "taken, as it should be"),
        ([errno.EACCES], False, State.FAIL, "not permitted"),
        ([errno.EADDRNOTAVAIL], True, State.FAIL, "not an address of this host"),
    ],
)
def test_a_port_is_free_taken_or_out_of_reach(outcomes, running, state, told) -> None:
    """Taken is what it should be where a broker runs."""
    finding = judge_port("listen", "localhost:7070", outcomes, running=running)
    assert (state, True) == (finding.state, told in finding.detail)


def test_a_port_is_tried_for_an_instant() -> None:
    """It is free again afterwards, and taken while somebody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert f"{address}: taken" == check_port("listen", address, running=False).detail
    assert [State.OK, State.OK] == [check_port("listen", address, running=False).state for _ in range(2)]


def test_a_host_that_nobody_knows_fails() -> None:
    """`.invalid` is never one."""
    assert "no such host" in check_port("listen", "waypost.invalid:7070", running=False).detail


def test_each_address_of_the_settings_is_looked_at() -> None:
    """HTTP only where it is asked for."""
    quiet = ServerSettings(listen="127.0.0.1:0")
    both = ServerSettings(listen="127.0.0.1:0", http_listen="127.0.0.1:0")
    names = [[each.check for each in check_ports(settings, running=False)] for settings in (quiet, both)]
    assert [["listen"], ["listen", "http_listen"]] == names
