"""Sessions by the virtual clock: opening, polling, websockets, the change to one, pings, bounds, and every end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hallway.api.engineio.engine import Engine, EngineLimits
from hallway.api.engineio.session import PING_EVERY, PING_TIMEOUT, PROBE_PAUSE, PROBE_TIMEOUT, Session
from hallway.api.engineio.waiting import MOST
from hallway.api.sockets import Handshake, Packet
from hallway.clock import VirtualClock
from hallway.errors import Unavailable
from tests.api.engineio.lines import FakeLine, Speaker, masked, tell

LIMIT = PING_EVERY + PING_TIMEOUT


class Hub:
    """An engine whose clients are greeted with `40`."""

    def __init__(self, limits: EngineLimits | None = None) -> None:
        self.clock = VirtualClock()
        self.speakers: list[Speaker] = []
        self.engine = Engine(self._accept, self.clock, limits or EngineLimits())

    def _accept(self, session: Any, handshake: Handshake) -> Speaker:
        self.speakers.append(Speaker(session, handshake))
        return self.speakers[-1]

    def polling(self, revision: int = 3, address: str = "1.2.3.4") -> Poller:
        session = self.engine.open(Handshake(revision, {}, (), address), lambda _session: None)
        return Poller(session, self.speakers[-1])

    def websocket(self, revision: int = 3, address: str = "1.2.3.4") -> Socket:
        line = FakeLine()
        opened: list[Any] = []
        session = self.engine.open(
            Handshake(revision, {}, (), address), lambda session: opened.append(session.on_websocket(line))
        )
        return Socket(session, self.speakers[-1], line, opened[0])

    @property
    def timers(self) -> int:
        return sum(number not in self.clock._cancelled for _due, number, _callback in self.clock._timers)


class Poller:
    def __init__(self, session: Session, speaker: Speaker) -> None:
        self.session = session
        self.speaker = speaker
        self.opening = json.loads(self.taken()[0][1:])
        self.woken = 0

    def poll(self) -> Any:
        def woken() -> None:
            self.woken += 1

        self.session.poll(woken)
        return woken

    def answered(self) -> list[str] | None:
        """What the poll gets, if it gets anything; then it is over."""
        if not self.session.has_something():
            return None
        self.session._poll = None
        return self.taken()

    def taken(self) -> list[str]:
        return [packet.text.decode() for packet in self.session.take()]


class Socket:
    def __init__(self, session: Session, speaker: Speaker, line: FakeLine, socket: Any) -> None:
        self.session = session
        self.speaker = speaker
        self.line = line
        self.opening = json.loads((line.texts() or ["0{}"])[0][1:])
        self.socket = socket

    def say(self, *texts: str) -> list[str]:
        """What it is answered."""
        for text in texts:
            self.socket.received(masked(text))
        return self.line.texts()


@pytest.fixture
def hub() -> Hub:
    return Hub()


# ---------------------------------------------------------------------- opening


def test_the_first_packet_says_what_the_client_has_to_know(hub: Hub) -> None:
    opening = hub.polling().opening
    assert len(opening.pop("sid")) == 20
    assert opening == {"upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 60000}
    direct = hub.websocket().opening
    assert hub.engine.find(direct["sid"]) is not None
    assert direct["upgrades"] == []
    assert hub.polling(4).opening["maxPayload"] == 1_000_000


def test_a_greeting_waits_until_who_it_is_for_is_known_and_listens(hub: Hub) -> None:
    poller = hub.polling()
    poller.poll()
    assert (poller.woken, poller.session.has_something()) == (0, False)
    poller.session.begin()
    assert poller.woken > 0
    assert poller.taken() == ["40"]
    late = hub.polling()
    late.session.begin()
    assert late.speaker.greeted == 0, "nothing is made for who may never come"
    late.poll()
    assert late.taken() == ["40"]


def test_a_direct_websocket_is_greeted_as_soon_as_it_is_known(hub: Hub) -> None:
    socket = hub.websocket()
    tell(socket.session, b"42[1]")
    assert socket.line.texts() == []
    socket.session.begin()
    assert socket.line.texts() == ["40"]
    tell(socket.session, b"42[2]")
    assert socket.line.texts() == ["42[2]"]


# ---------------------------------------------------------------------- polling


def test_what_is_told_waits_for_the_poll_and_wakes_it(hub: Hub) -> None:
    poller = hub.polling()
    poller.session.begin()
    poller.session.forget_poll(poller.poll())
    poller.taken()
    tell(poller.session, b"42[1]", b"42[2]")
    poller.session.send(Packet(b"42[3]"))
    assert poller.session.has_something()
    assert poller.taken() == ["42[1]", "42[2]", "42[3]"]
    poller.poll()
    before = poller.woken
    tell(poller.session, b"42[4]")
    assert poller.woken > before


def test_of_two_polls_at_a_time_the_newer_one_counts(hub: Hub) -> None:
    poller = hub.polling()
    first = poller.poll()
    second = poller.poll()
    assert poller.woken == 1
    assert (poller.session.polls(first), poller.session.polls(second)) == (False, True)
    poller.session.forget_poll(first)
    assert poller.session.polls(second)


def test_who_does_not_poll_costs_a_bounded_queue_and_starts_over(hub: Hub) -> None:
    poller = hub.polling()
    poller.session.begin()
    poller.session.forget_poll(poller.poll())
    poller.taken()
    for number in range(3 * MOST):
        tell(poller.session, b"42[%d]" % number)
    assert not poller.session.has_something()
    poller.poll()
    assert poller.speaker.greeted == 2
    assert poller.taken() == ["40"]
    tell(poller.session, b"42[1]")
    assert poller.taken() == ["42[1]"]


# ---------------------------------------------------------------------- websocket


def test_messages_reach_who_speaks_with_the_client(hub: Hub) -> None:
    socket = hub.websocket()
    assert socket.say('42["call"]', "4") == []
    assert socket.speaker.messages == ['2["call"]', ""]


def test_who_does_not_read_gets_the_last_values_when_it_does(hub: Hub) -> None:
    socket = hub.websocket()
    socket.session.begin()
    socket.line.texts()
    socket.line.paused = True
    for number in range(5 * MOST):
        tell(socket.session, b"42[%d]" % number, key="lamp")
    socket.session.send(Packet(b"42[answer]"))
    assert socket.line.written == []
    socket.line.resume()
    assert len(socket.line.written) == 1, "in one write"
    assert socket.line.texts() == [f"42[{5 * MOST - 1}]", "42[answer]"]


def test_who_stays_too_far_behind_starts_over_and_misses_no_answer(hub: Hub) -> None:
    socket = hub.websocket()
    socket.session.begin()
    socket.line.texts()
    socket.line.paused = True
    socket.session.send(Packet(b"42[answer]"))
    for number in range(2 * MOST):
        tell(socket.session, b"42[%d]" % number)
    assert socket.speaker.greeted == 1
    socket.line.resume()
    assert socket.line.texts() == ["42[answer]", "40"]


def test_who_takes_no_answers_is_let_go(hub: Hub) -> None:
    socket = hub.websocket()
    socket.line.paused = True
    for _ in range(MOST + 1):
        socket.session.send(Packet(b"42[answer]"))
    assert (socket.line.aborted, socket.speaker.is_over, len(hub.engine)) == (True, True, 0)


def test_who_pings_and_does_not_read_is_let_go(hub: Hub) -> None:
    socket = hub.websocket()
    socket.line.paused = True
    socket.say(*["2"] * MOST)
    assert not socket.line.aborted
    socket.say("2")
    assert (socket.line.aborted, len(hub.engine)) == (True, 0)


def test_each_ping_is_answered(hub: Hub) -> None:
    poller = hub.polling()
    for _ in range(3):
        poller.session.receive("2")
    assert poller.taken() == ["3", "3", "3"]


@pytest.mark.parametrize("text", ["", "x", "9", "b4AAA=", "\x00", "0{}"])
def test_packets_of_no_known_kind_end_the_session(hub: Hub, text: str) -> None:
    socket = hub.websocket()
    socket.say(text)
    assert (socket.line.gone, socket.speaker.is_over, len(hub.engine)) == (True, True, 0)


def test_a_client_says_good_bye(hub: Hub) -> None:
    socket, poller = hub.websocket(), hub.polling()
    socket.say("1", '42["late"]')
    poller.session.receive("1")
    poller.session.receive('42["late"]')
    assert [speaker.messages for speaker in hub.speakers] == [[], []]
    assert [speaker.is_over for speaker in hub.speakers] == [True, True]
    assert len(hub.engine) == 0


def test_the_hub_says_good_bye(hub: Hub) -> None:
    socket, poller = hub.websocket(), hub.polling()
    poller.poll()
    hub.engine.end_all()
    assert socket.line.gone
    assert poller.woken > 0
    assert poller.taken() == ["1"]
    assert (len(hub.engine), hub.timers) == (0, 0)


# ---------------------------------------------------------------------- from polling to a websocket


def probing(poller: Poller) -> Socket:
    line = FakeLine()
    assert poller.session.may_be_probed
    found = poller.session.probed_by(line)
    return Socket(poller.session, poller.speaker, line, found)


def test_a_polling_client_moves_to_a_websocket(hub: Hub) -> None:
    poller = hub.polling()
    poller.poll()
    socket = probing(poller)
    assert poller.answered() is None
    assert socket.say("2probe") == ["3probe"]
    assert (poller.woken, poller.answered()) == (1, ["6"])
    poller.session.begin()
    tell(poller.session, b"42[1]")
    assert socket.line.texts() == []
    assert socket.say("5") == ["40"]
    assert not poller.session.is_polling
    tell(poller.session, b"42[2]")
    assert socket.line.texts() == ["42[2]"]


def test_a_poll_that_comes_while_it_moves_is_answered_in_time_and_not_at_once(hub: Hub) -> None:
    poller = hub.polling()
    poller.session.begin()
    socket = probing(poller)
    socket.say("2probe")
    poller.poll()
    assert poller.answered() is None
    hub.clock.advance(PROBE_PAUSE)
    assert (poller.woken, poller.answered()) == (1, ["6"])
    poller.poll()
    assert socket.say("5") == ["40"]
    assert (poller.woken, poller.answered()) == (2, ["6"])
    poller.session.end()
    assert hub.timers == 0


def test_a_client_may_move_without_a_probe(hub: Hub) -> None:
    poller = hub.polling()
    poller.poll()
    socket = probing(poller)
    socket.say("5")
    assert (poller.woken, poller.answered()) == (1, ["6"])
    poller.session.begin()
    assert socket.line.texts() == ["40"]


def test_a_websocket_that_says_nothing_holds_up_nothing(hub: Hub) -> None:
    poller = hub.polling()
    poller.session.begin()
    probing(poller)
    poller.poll()
    assert poller.answered() == ["40"]


def test_what_waited_goes_out_when_it_has_moved(hub: Hub) -> None:
    poller = hub.polling()
    poller.session.begin()
    poller.session.forget_poll(poller.poll())
    poller.taken()
    socket = probing(poller)
    socket.say("2probe")
    tell(poller.session, b"42[1]", b"42[2]")
    assert socket.say("5") == ["42[1]", "42[2]"]


def test_a_probe_that_fails_leaves_the_client_polling(hub: Hub) -> None:
    poller = hub.polling()
    poller.session.begin()
    socket = probing(poller)
    socket.say("2probe")
    socket.line.lose()
    assert poller.session.may_be_probed
    poller.poll()
    assert poller.taken() == ["40"]
    assert not poller.speaker.is_over


@pytest.mark.parametrize("text", ["2", "4x", "1", "3probe", ""])
def test_a_probe_that_says_something_else_is_closed_alone(hub: Hub, text: str) -> None:
    poller = hub.polling()
    socket = probing(poller)
    socket.say(text)
    assert (socket.line.gone, poller.speaker.is_over, poller.speaker.messages) == (True, False, [])


def test_a_probe_has_ten_seconds(hub: Hub) -> None:
    poller = hub.polling()
    socket = probing(poller)
    assert not poller.session.may_be_probed
    socket.say("2probe")
    hub.clock.advance(PROBE_TIMEOUT + 2)
    assert (socket.line.gone, poller.session.may_be_probed) == (True, True)


def test_a_session_that_ends_takes_its_probe_along(hub: Hub) -> None:
    poller = hub.polling()
    socket = probing(poller)
    poller.session.end()
    assert (socket.line.gone, len(hub.engine), hub.timers) == (True, 0, 0)


# ---------------------------------------------------------------------- pings


def test_a_frozen_client_is_noticed(hub: Hub) -> None:
    poller, socket = hub.polling(), hub.websocket()
    hub.clock.advance(LIMIT - 2)
    assert len(hub.engine) == 2
    hub.clock.advance(4)
    assert (len(hub.engine), socket.line.aborted, poller.speaker.is_over) == (0, True, True)


def test_a_client_of_revision_3_pings_and_stays(hub: Hub) -> None:
    socket, poller = hub.websocket(), hub.polling()
    for _ in range(20):
        hub.clock.advance(PING_EVERY)
        assert socket.say("2", "2abc") == ["3", "3"]
        poller.session.receive("2")
        assert poller.taken() == ["3"]
    assert len(hub.engine) == 2


def test_a_client_of_revision_4_is_pinged_and_stays_while_it_answers(hub: Hub) -> None:
    socket, poller = hub.websocket(4), hub.polling(4)
    for _ in range(10):
        hub.clock.advance(PING_EVERY)
        assert socket.line.texts() == ["2"]
        socket.say("3")
        assert poller.taken() == ["2"]
        poller.session.receive("3")
    assert len(hub.engine) == 2
    hub.clock.advance(LIMIT + 2)
    assert len(hub.engine) == 0


# ---------------------------------------------------------------------- how many


def test_there_are_so_many_sessions_and_no_more() -> None:
    hub = Hub(EngineLimits(sessions=3, sessions_per_address=2))
    known = [hub.websocket(address="a"), hub.websocket(address="a"), hub.websocket(address="b")]
    for client in known:
        client.session.trust()
    for address in ("a", "c"):
        with pytest.raises(Unavailable):
            hub.polling(address=address)
    assert len(hub.speakers) == 3
    known[0].session.end()
    hub.polling(address="a")
    assert len(hub.engine) == 3


def test_strangers_make_room_the_oldest_first() -> None:
    hub = Hub(EngineLimits(sessions=3, sessions_per_address=2))
    first, friend, third = hub.websocket(address="a"), hub.websocket(address="a"), hub.websocket(address="b")
    friend.session.trust()
    hub.polling(address="a")
    assert [client.speaker.is_over for client in (first, friend, third)] == [True, False, False]
    hub.polling(address="c")
    assert third.speaker.is_over
    assert not friend.speaker.is_over


def test_nothing_is_left_when_all_are_gone(hub: Hub) -> None:
    clients = [hub.websocket() for _ in range(5)]
    pollers = [hub.polling(4) for _ in range(5)]
    assert hub.timers == 1
    for client in clients:
        client.line.lose()
    for poller in pollers:
        poller.session.receive("1")
    assert (len(hub.engine), hub.engine._addresses, hub.timers) == (0, {}, 0)
    assert all(speaker.is_over for speaker in hub.speakers)
