"""What devices are going to do: a blind that stops after its way, a sensor that falls back, a stopwatch that ticks.

Each stands in the home as a due time, so that it goes on after a restart; durations are elapsed time.
It must not know what happens then: that is the device's ability.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from hallway.clock import Cancel, Clock
from hallway.home.changes import Context
from hallway.home.devices import Effects


class Due(msgspec.Struct, frozen=True):
    """Something that a device will do: `at` in wall-clock seconds."""

    device_id: str
    name: str
    at: float


class Pending:
    """All that is going to happen. `run` is called when something is due, `note` when it is planned or dropped."""

    def __init__(
        self,
        clock: Clock,
        run: Callable[[str, str, Context], None],
        note: Callable[[str, str, float | None, Context], None],
    ) -> None:
        self._clock = clock
        self._run = run
        self._note = note
        self._timers: dict[tuple[str, str], tuple[Due, Cancel]] = {}

    def all(self) -> list[Due]:
        """Everything that is planned."""
        return [due for due, _cancel in self._timers.values()]

    def follow(self, device_id: str, effects: Effects, context: Context) -> None:
        """Plan and cancel what an action asks for."""
        for name in effects.cancel:
            self.cancel(device_id, name, context)
        for later in effects.later:
            self._plan(Due(device_id, later.name, self._clock.now() + later.seconds), later.seconds)
            self._note(device_id, later.name, self._clock.now() + later.seconds, context)

    def restore(self, due: Due) -> None:
        """Go on with something that was planned before the restart; what fell into the gap happens at once."""
        self._plan(due, due.at - self._clock.now())

    def cancel(self, device_id: str, name: str, context: Context) -> None:
        """It shall not happen."""
        planned = self._timers.pop((device_id, name), None)
        if planned is not None:
            planned[1]()
            self._note(device_id, name, None, context)

    def cancel_all(self, device_id: str, context: Context) -> None:
        """Nothing of that device shall happen."""
        for device, name in list(self._timers):
            if device == device_id:
                self.cancel(device, name, context)

    def _plan(self, due: Due, seconds: float) -> None:
        key = (due.device_id, due.name)
        before = self._timers.pop(key, None)
        if before is not None:
            before[1]()
        self._timers[key] = (due, self._clock.call_later(seconds, lambda: self._happen(due)))

    def _happen(self, due: Due) -> None:
        context = Context(f"timer:{due.device_id}")
        del self._timers[due.device_id, due.name]
        self._note(due.device_id, due.name, None, context)
        self._run(due.device_id, due.name, context)
