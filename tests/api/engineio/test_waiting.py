"""What waits for a client is bounded, and of the same thing only the last value is kept."""

from __future__ import annotations

from hallway.api.engineio.waiting import MOST, MOST_BYTES, WHOLE, WHOLE_BYTES, Waiting
from hallway.api.sockets import Packet


def texts(waiting: Waiting) -> list[bytes]:
    return [packet.text for packet in waiting.take()]


def test_packets_wait_in_their_order() -> None:
    waiting = Waiting()
    assert waiting.add([Packet(b"a"), Packet(b"b", "key")])
    assert waiting.add_own([Packet(b"c")], counted=True)
    assert texts(waiting) == [b"a", b"b", b"c"]
    assert not waiting
    assert texts(waiting) == []


def test_a_burst_waits_as_it_was_and_after_a_flood_the_next_one_too() -> None:
    waiting = Waiting()
    burst = [Packet(b"x%d" % number, "x") for number in range(WHOLE)]
    assert waiting.add(burst)
    assert texts(waiting) == [packet.text for packet in burst]
    assert waiting.add([*burst, *burst])
    assert texts(waiting) == [burst[-1].text]
    assert waiting.add(burst)
    assert len(texts(waiting)) == WHOLE


def test_a_burst_of_much_text_is_thinned_out_early() -> None:
    waiting = Waiting()
    large = Packet(b"x" * (WHOLE_BYTES // 2), "x")
    assert waiting.add([large, large])
    assert len(waiting) == 2
    assert waiting.add([large])
    assert len(waiting) == 1


def test_the_last_value_of_a_thing_takes_the_place_of_those_before() -> None:
    waiting = Waiting()
    for number in range(5000):
        assert waiting.add([Packet(b"x%d" % number, "x"), Packet(b"y%d" % number, "y")])
    waiting.add([Packet(b"removed")])
    waiting.add([Packet(b"x!", "x")])
    assert texts(waiting) == [b"y4999", b"removed", b"x!"]


def test_too_many_for_many_leave_only_what_is_for_this_client_alone() -> None:
    waiting = Waiting()
    waiting.add_own([Packet(b"mine")], counted=True)
    added = [waiting.add([Packet(b"n%d" % number)]) for number in range(MOST)]
    assert added == [True] * (MOST - 1) + [False]
    assert texts(waiting) == [b"mine"]
    assert waiting.add([Packet(b"again")])


def test_too_many_bytes_are_too_many_as_well() -> None:
    waiting = Waiting()
    half = Packet(b"x" * (MOST_BYTES // 2 + 1))
    assert waiting.add([half])
    assert not waiting.add([half])
    assert not waiting


def test_bytes_of_replaced_values_do_not_count() -> None:
    waiting = Waiting()
    assert all(waiting.add([Packet(b"x" * (MOST_BYTES // 2), "x")]) for _ in range(10))


def test_what_is_for_one_client_is_counted_unless_it_is_its_greeting() -> None:
    waiting = Waiting()
    half = Packet(b"x" * (MOST_BYTES // 2 + 1))
    assert waiting.add_own([half, half], counted=False)
    assert waiting.add_own([half], counted=True)
    assert waiting.add([Packet(b"small")]), "what it is greeted with takes no room from the others"
    assert not waiting.add_own([half], counted=True)
    assert len(texts(waiting)) == 5


def test_there_is_an_end_to_answers_too() -> None:
    waiting = Waiting()
    assert [waiting.add_own([Packet(b"a")], counted=True) for _ in range(MOST + 1)].count(False) == 1


def test_answers_with_a_key_replace_each_other() -> None:
    waiting = Waiting()
    assert all(waiting.add_own([Packet(b"3", "pong")], counted=True) for _ in range(10 * MOST))
    assert texts(waiting) == [b"3"]
