"""From changes to rows: each change goes into the redo log at once, and into the next batch for home.db.

It must not know the tables, nor how and when a batch gets there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence

from hallway.clock import Cancel, Clock
from hallway.home.changes import AnyChange, Defined, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.home import Home
from hallway.home.saved import Saved
from hallway.home.values import same
from hallway.store.commits import Commits, Disk
from hallway.store.recovery import Found
from hallway.store.redo import encode
from hallway.store.rows import AnyRow, EntityGone, KeptId, StateRow, rows_of, state_row
from hallway.store.troubles import REDO_LOG
from hallway.store.truth import Newest

log = logging.getLogger(__name__)

SEGMENT_BYTES = 16 * 2**20
"""A segment that is longer is committed before its time, or rewritten while it cannot be committed."""


class Recorder:
    """Keeps what happens to a home from here on, until `finish`."""

    def __init__(
        self,
        home: Home,
        loop: asyncio.AbstractEventLoop,
        disk: Disk,
        found: Found,
        clock: Clock,
        values_every: float,
        newest: Newest,
    ) -> None:
        self._home = home
        self._newest = newest
        self._loop = loop
        self._redo, _writer, self._troubles = disk
        self._clock = clock
        self._values_every = values_every
        self._kept = dict(found.saved.kept_ids)
        self._timer: Cancel | None = None
        self._redo_failing = False
        self._relieving = False
        self._segment_limit = SEGMENT_BYTES
        self.commits = Commits(disk, loop, clock, found.saved.seq, found.left)
        self._begin(found.saved)
        self._unsubscribe = home.changes.subscribe(self._take)

    def _begin(self, saved: Saved) -> None:
        """Keep what the home shows by now other than it was saved."""
        seq = self._home.changes.seq
        if seq < saved.seq:
            raise ValueError(f"the home counts from {seq}, but {saved.seq} changes were saved: give it seq=saved.seq")
        self._home.entities.newly_claimed()
        kept = self._newly_kept(self._home.entities.kept)
        if kept or seq > saved.seq:
            self._keep(seq, kept)
        for row in _shown_otherwise(self._home, saved):
            self._keep(seq, (row,))
        self.commits.hurry_if_stuck()

    # ------------------------------------------------------------------ taking changes

    def _take(self, change: AnyChange) -> None:
        if type(change) is Updated and not change.new and len(change.states) == 1:
            row = state_row(change.states[0])  # most changes are one reported state: as below, half a µs quicker
            if self._log(change.seq, (row,)):
                self.commits.batch.put_state(change.seq, row)
            return
        rows = rows_of(change)
        if type(change) is VariableSet or type(change) is Updated:  # nothing is defined by it, nor kept in mind
            if rows and self._log(change.seq, rows):
                self.commits.batch.put(change.seq, rows)
            return
        if isinstance(change, Defined):
            rows += self._newly_kept_by(change)
        if rows:
            self._keep(change.seq, rows)

    def _newly_kept_by(self, change: Defined) -> list[AnyRow]:
        claims_nothing = change.new is None or change.new.get("class") == REPORTED
        return [] if claims_nothing else self._newly_kept(self._home.entities.newly_claimed())

    def _newly_kept(self, claimed: Mapping[str, str]) -> list[AnyRow]:
        """Those of the ids that owners have otherwise than it was kept."""
        known = self._kept
        new = {owner: kept for owner, kept in claimed.items() if known.get(owner) != kept}
        known |= new
        return [KeptId(owner, entity_id) for owner, entity_id in new.items()]

    def _keep(self, seq: int, rows: Sequence[AnyRow]) -> None:
        if self._log(seq, rows):
            self.commits.batch.put(seq, rows)
            self._newest.take(rows)

    def _log(self, seq: int, rows: Sequence[AnyRow]) -> bool:
        """Append to the redo log; whether the rows may be put into the batch."""
        try:
            size = self._redo.append(encode((seq, rows)))
        except OSError as error:
            self.commits.missed(seq)
            self._redo_fails(error)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            log.warning("change %d is not kept, since JSON cannot carry it: %s", seq, error)
            return False
        else:
            if self._redo_failing:
                self._redo_works()
            if size > self._segment_limit:
                self._relieve_soon()
        if self._timer is None:
            self._set_timer()
        return True

    def _set_timer(self) -> None:
        self._timer = self._timer or self._clock.call_later(self._values_every, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self.commits.due()

    # ------------------------------------------------------------------ when the redo log is in need

    def _redo_fails(self, error: OSError) -> None:
        """What it does not take is safe in home.db only, so that comes at once."""
        self._redo_failing = True
        why = error.strerror or str(error)
        self._troubles.report(
            REDO_LOG, f"the redo log cannot be written: {why}; until that is mended a crash may cost reports"
        )
        self._relieve_soon()

    def _redo_works(self) -> None:
        """What it missed meanwhile gets into home.db now, if that can be written again too."""
        self._redo_failing = False
        self._troubles.over(REDO_LOG)
        self._loop.call_soon(self.commits.hurry)

    def _relieve_soon(self) -> None:
        if not self._relieving:
            self._relieving = True
            self._loop.call_soon(self._relieve)

    def _relieve(self) -> None:
        self._relieving = False
        if not self.commits.stuck:
            self._segment_limit = SEGMENT_BYTES
            self.commits.due()
        elif self._redo.size > self._segment_limit:
            self._rewrite()

    def _rewrite(self) -> None:
        """home.db takes nothing, and the log grows: what the present batch says is all that is needed of it."""
        batch = self.commits.batch
        try:
            size = self._redo.rewrite(encode((batch.seq, batch.rows())))
        except OSError as error:
            self._redo_fails(error)
            size = self._redo.size
        self._segment_limit = max(SEGMENT_BYTES, 2 * size)

    # ------------------------------------------------------------------ the end

    async def finish(self) -> bool:
        """Take no more changes and commit what is left; whether home.db has everything now."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer()
        return await self.commits.finish(self._home.changes.seq)


def _shown_otherwise(home: Home, saved: Saved) -> Iterator[AnyRow]:
    """What entities show now and did not when they were saved."""
    before = {kept.state.entity_id: kept.state for kept in saved.states}
    for state in home.states():
        was = before.pop(state.entity_id, None)
        if was != state or not same(was.attributes, state.attributes):
            told_by = home.entities.owners[state.entity_id].told_by
            yield StateRow(
                state.entity_id, state.state, state.attributes, state.last_changed, state.last_updated, told_by
            )
    for entity_id in before:
        yield EntityGone(entity_id)
