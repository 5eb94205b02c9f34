"""The command line of the benchmarks: which to run, for how long, and the tables that come out.

Missed targets are printed, not punished: the exit code is 0 unless a server fails or answers wrongly.
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from typing import Final

from benchmarks import devices, get_state, history, post_state, rules, sockets, start, stream, variable, variable_patch
from benchmarks.company import Company, gather
from benchmarks.errors import BenchmarkError
from benchmarks.measure import Cores, Plan, choose_cores, on_core
from benchmarks.servers import Server, parse_peer, run_hub, run_raw
from benchmarks.table import Report, render

COMPARISONS: Final = (get_state, post_state, stream)
PIMATIC_DOOR: Final = (variable, variable_patch, devices, sockets)
NAMES: Final = (*(benchmark.NAME for benchmark in (*COMPARISONS, *PIMATIC_DOOR)), rules.NAME, history.NAME, start.NAME)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for and print it; 1 when a run could not be trusted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.history_rows < history.LEAST_ROWS:
        parser.error(
            f"--history-rows must be {history.LEAST_ROWS} at least: two days of {history.ATTRIBUTES} attributes"
        )
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    try:
        peers = [parse_peer(text) for text in options.peer]
        plan = _plan(options)
    except ValueError as error:
        parser.error(str(error))
    cores = choose_cores()
    try:
        with on_core(cores.client):
            names = options.names or NAMES
            reports = _run(names, plan, cores, peers, with_hub=options.hub)
            reports += _run_pimatic_door(names, plan, cores, with_hub=options.hub, with_pimatic=options.pimatic)
            if rules.NAME in names:
                reports += rules.run(Company(cores.server, options.hub), plan)
            if history.NAME in names and options.hub:
                reports.append(history.run(history.Sizes(rows=options.history_rows)))
            if start.NAME in names:
                reports.append(start.run(cores.server, with_hub=options.hub))
    except (BenchmarkError, OSError) as error:
        print(f"stopped: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return 1
    print(_conditions(plan, cores))
    print(_tables(reports, markdown=options.markdown), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the hub beside a raw ASGI app.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(NAMES)} (all if none is named)")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="length of one measurement (%(default)s)")
    parser.add_argument("--repeats", type=int, default=usual.repeats, help="turns of each server (%(default)s)")
    parser.add_argument("--connections", type=int, default=usual.connections, help="of the load client (%(default)s)")
    parser.add_argument(
        "--history-rows",
        type=int,
        default=history.ROWS,
        metavar="N",
        help="samples of the past that are asked (%(default)s; making that many takes minutes)",
    )
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    parser.add_argument("--no-hub", dest="hub", action="store_false", help="leave the hub out: what the machine can do")
    parser.add_argument(
        "--with-pimatic",
        dest="pimatic",
        action="store_true",
        help="measure pimatic too, beside its door; installs it from npm the first time (two minutes, needs g++)",
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=URL:PASSWORD",
        help="a server with the Home Assistant API that runs already; it will keep states called sensor.bench_…",
    )
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    if not options.seconds > 0 or options.repeats < 1 or options.connections < 1:
        raise ValueError("--seconds, --repeats and --connections must be above 0")
    return Plan(options.seconds, options.repeats, options.connections)


def _run(names: Sequence[str], plan: Plan, cores: Cores, peers: Sequence[Server], *, with_hub: bool) -> list[Report]:
    reports: list[Report] = []
    comparisons = [benchmark for benchmark in COMPARISONS if benchmark.NAME in names]
    if comparisons:
        with ExitStack() as stack:
            hub = [stack.enter_context(run_hub(cores.server))] if with_hub else []
            servers = [*hub, stack.enter_context(run_raw(cores.server)), *peers]
            reports += [benchmark.run(servers, plan) for benchmark in comparisons]
    return reports


def _run_pimatic_door(
    names: Sequence[str], plan: Plan, cores: Cores, *, with_hub: bool, with_pimatic: bool
) -> list[Report]:
    wanted = [benchmark for benchmark in PIMATIC_DOOR if benchmark.NAME in names]
    if not wanted:
        return []
    company = gather(cores.server, with_hub=with_hub, with_node=sockets in wanted, with_pimatic=with_pimatic)
    return [benchmark.run(company, plan) for benchmark in wanted]


def _conditions(plan: Plan, cores: Cores) -> str:
    pinned = (
        f"servers on core {cores.server}, client on core {cores.client}" if cores.client is not None else "not pinned"
    )
    return (
        f"{platform.python_implementation()} {platform.python_version()}, uvicorn {version('uvicorn')}, "
        f"{platform.machine()}; {pinned}; "
        f"{plan.repeats} × {plan.seconds:g} s for each server, {plan.connections} connections\n"
    )


def _tables(reports: Sequence[Report], *, markdown: bool) -> str:
    texts = []
    for headings in dict.fromkeys(report.headings for report in reports):
        rows = [row for report in reports if report.headings == headings for row in report.rows]
        texts.append(render(headings, rows, markdown=markdown))
    targets = [target.cells() for report in reports for target in report.targets]
    if targets:
        texts.append(render(("target", "wanted", "measured", ""), targets, markdown=markdown))
    return "\n".join(texts)


if __name__ == "__main__":
    raise SystemExit(main())
