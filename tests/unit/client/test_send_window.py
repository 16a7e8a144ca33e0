"""What is on its way through a send stream."""

from dataclasses import dataclass

import pytest

from waypost.send_window import SendWindow, WindowLimits


@dataclass(frozen=True)
class Item:
    """A request by number."""

    number: int
    size_bytes: int = 10


def window_of(count: int, **limits: int) -> SendWindow[Item]:
    """A window in which so many requests wait."""
    window: SendWindow[Item] = SendWindow(WindowLimits(**limits))
    for number in range(count):
        window.add(Item(number))
    return window


def numbers(items) -> list[int]:
    """Of items, in their order."""
    return [item.number for item in items]


def test_a_frame_holds_what_has_gathered() -> None:
    """One alone goes at once; many go together."""
    window = window_of(1)
    assert [0] == numbers(window.next_frame())
    for number in (1, 2, 3):
        window.add(Item(number))
    assert [1, 2, 3] == numbers(window.next_frame())
    assert [] == window.next_frame()


def test_a_frame_has_limits() -> None:
    """In requests and in bytes."""
    assert [0, 1, 2] == numbers(window_of(5, frame_requests_max=3).next_frame())
    assert [0, 1] == numbers(window_of(5, frame_bytes_max=29).next_frame())


def test_a_large_request_has_a_frame_to_itself() -> None:
    """It would not fit any other."""
    window = window_of(1, frame_bytes_max=15)
    window.add(Item(1, size_bytes=1_000))
    window.add(Item(2))
    assert [[0], [1], [2]] == [numbers(window.next_frame()) for _ in range(3)]


def test_no_more_frames_are_out_than_may_be() -> None:
    """Until one is answered; what gathers meanwhile makes the next one larger."""
    window = window_of(4, frame_requests_max=1, frames_out_max=2)
    assert [[0], [1], []] == [numbers(window.next_frame()) for _ in range(3)]
    assert [0] == numbers(window.answered())
    assert [2] == numbers(window.next_frame())


def test_answers_belong_to_the_oldest_frame() -> None:
    """The broker answers in order."""
    window = window_of(4, frame_requests_max=2)
    window.next_frame(), window.next_frame()
    assert [[0, 1], [2, 3], []] == [numbers(window.answered()) for _ in range(3)]


def test_what_was_out_goes_again_first_and_in_order() -> None:
    """A lost connection changes no order."""
    window = window_of(6, frame_requests_max=2)
    window.next_frame(), window.next_frame()
    window.take_back()
    assert [[0, 1], [2, 3], [4, 5]] == [numbers(window.next_frame()) for _ in range(3)]


def test_it_is_empty_when_nothing_waits_or_is_out() -> None:
    """Then a stream may end."""
    window = window_of(1)
    assert window
    window.next_frame()
    assert window
    window.answered()
    assert not window


@pytest.mark.parametrize("limits", [{"requests_in_flight_max": 0}, {"frame_requests_max": 1_001}])
def test_limits_that_cannot_work_are_refused(limits) -> None:
    """The broker takes 1,000 requests in a frame."""
    with pytest.raises(ValueError, match="must be"):
        WindowLimits(**limits)
