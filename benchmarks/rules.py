"""Rules: how quickly sentences are read in a large home, and what a change costs while many rules run.

The first two parts call the hub's own parts in this process; the last asks running hubs over HTTP, one without
rules and one with ten thousand that look at other variables. It must not know how a rule is read or run.
"""

import itertools
import json
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from benchmarks import rule_engine, rule_language
from benchmarks.company import Company
from benchmarks.load import Pool, run_loop
from benchmarks.measure import Plan, Sample, summarise
from benchmarks.rounds import in_turns, keep_busy
from benchmarks.servers import Server
from benchmarks.table import COMPARISON, Report, comparison_row, share
from benchmarks.variable_patch import VariableWrites

NAME: Final = "rules"
WORK: Final = "rules, variable-patch"
RULES: Final = 10_000
VARIABLES: Final = 100
"""At which the rules look; none of them is written."""
WANTED_PERCENT: Final = 90


def run(company: Company, plan: Plan) -> list[Report]:
    """Measure everything; nothing of it is there without the hub."""
    return [rule_language.run(), rule_engine.run(), over_http(company, plan)] if company.with_hub else []


def over_http(company: Company, plan: Plan, rules: int = RULES) -> Report:
    """PATCH of variables at which no rule looks; hubs are called after the number of their rules."""
    names = [f"bench_{number}" for number in range(plan.connections)]
    with ExitStack() as stack:
        hubs = [
            replace(server, name=f"{server.name} {count}")
            for count in (0, rules)
            for server in stack.enter_context(company.homes(()))
        ]
        raw = stack.enter_context(company.raw())
        writes = {server.name: VariableWrites(server, names) for server in (*hubs, raw)}
        for hub in hubs:
            writes[hub.name].create()
        _add_rules(hubs[-1], rules)
        samples = in_turns(WORK, [*hubs, raw], plan, lambda server: _measure(server, plan, writes[server.name]))
    rows = tuple(comparison_row(WORK, name, summary) for name, summary in summarise(samples, "raw").items())
    target = share(f"{WORK}, {rules} rules, of none", samples, (f"hub {rules}", "hub 0"), WANTED_PERCENT)
    return Report(COMPARISON, rows, () if target is None else (target,))


async def _measure(server: Server, plan: Plan, writes: VariableWrites) -> Sample:
    return await keep_busy(server, plan, writes)


def _add_rules(server: Server, count: int) -> None:
    others = [f"other_{number}" for number in range(min(count, VARIABLES))]
    VariableWrites(server, others).create()
    run_loop(_send(server, RuleAdditions(server, others), count))


async def _send(server: Server, additions: "RuleAdditions", count: int) -> None:
    size = max(divisor for divisor in range(1, 33) if count % divisor == 0)
    async with Pool.open(server, size) as pool:
        for _ in range(count // size):
            await pool.once(additions)


class RuleAdditions:
    """A Work: each call adds the next rule, which looks at one of the given variables."""

    def __init__(self, server: Server, variables: list[str]) -> None:
        self._server = server
        self._variables = variables
        self._numbers = itertools.count()

    def __call__(self, connection: int) -> tuple[bytes, bytes]:
        number = next(self._numbers)
        variable = self._variables[number % len(self._variables)]
        rule = {"name": f"Rule {number}", "ruleString": f'when ${variable} > {number} then log "above {number}"'}
        request = self._server.request("POST", f"/api/rules/rule-{number}", json.dumps({"rule": rule}).encode())
        return request, b'"success"'
