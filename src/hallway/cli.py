"""The command `hallway`: run a home, try the demo, check a configuration, ask about rules, move in and out.

Exit codes: 0 all is well, 1 the hub cannot run, 2 the configuration or the command line is wrong.
It must not hold anything that a library user would want.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from hallway import __version__, rule_command
from hallway.errors import HallwayError, InvalidInput
from hallway.settings import ConfigurationError, Settings, load

DEFAULT_PORT = 8123
MAX_PORT = 65535


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    try:
        return command(given)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except HallwayError as error:
        print(f"hallway: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hallway", description="A home-automation hub: one home, every door.")
    parser.add_argument("--version", action="version", version=f"hallway {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the home in a directory")
    _home_options(run, required=True)
    run.set_defaults(command=_run)
    demo = commands.add_parser("demo", help="run a home without hardware, to try everything")
    _home_options(demo, required=False)
    demo.set_defaults(command=_demo)
    check = commands.add_parser("check", help="check the configuration of a home")
    check.add_argument("--home", type=Path, required=True, metavar="DIR", help="directory with configuration.yaml")
    check.set_defaults(command=_check)
    rule = commands.add_parser("rule", help="ask a running hub about its rules")
    rule_command.add_options(rule)
    rule.set_defaults(command=_rule)
    moving_in = commands.add_parser("import", help="bring the home of another program into a home")
    _import_options(moving_in.add_subparsers(required=True, metavar="PROGRAM"))
    moving_out = commands.add_parser("export", help="write a home as the configuration of another program")
    _export_options(moving_out.add_subparsers(required=True, metavar="PROGRAM"))
    return parser


def _import_options(programs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pimatic = programs.add_parser("pimatic", help="a config.json of pimatic 0.9")
    pimatic.add_argument("config", type=Path, metavar="CONFIG", help="pimatic's config.json")
    pimatic.add_argument("--home", type=Path, required=True, metavar="DIR", help="directory of the home, new or not")
    pimatic.add_argument("--database", type=Path, metavar="FILE", help="pimatic-database.sqlite, for the last values")
    pimatic.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")
    pimatic.add_argument("--replace", action="store_true", help="let what comes take the place of what differs")
    pimatic.set_defaults(command=_import_pimatic)


def _export_options(programs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pimatic = programs.add_parser("pimatic", help="a config.json of pimatic 0.9")
    pimatic.add_argument("--home", type=Path, required=True, metavar="DIR", help="directory of the home")
    pimatic.add_argument("--output", type=Path, metavar="FILE", help="where to write it, instead of printing it")
    pimatic.set_defaults(command=_export_pimatic)


def _home_options(parser: argparse.ArgumentParser, *, required: bool) -> None:
    default = None if required else Path("demo-home")
    parser.add_argument(
        "--home", type=Path, required=required, default=default, metavar="DIR", help="directory with configuration.yaml"
    )
    parser.add_argument("--host", help="address to listen on, instead of the configured one")
    parser.add_argument("--port", type=_port, help="port to listen on, instead of the configured one; 0: any free one")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def _check(given: argparse.Namespace) -> int:
    from hallway.definitions import check, expected
    from hallway.language.expressions import parse
    from hallway.language.kinds import built_in
    from hallway.language.rules import RuleParser

    settings = load(given.home, must_exist=True)
    problems = check(settings, parse, RuleParser(built_in()))
    if problems:
        raise ConfigurationError(problems)
    for note in expected(settings, parse):
        print(note)
    print(f"{settings.source}: {len(settings.devices)} devices, {len(settings.variables)} variables: all is well")
    return 0


def _rule(given: argparse.Namespace) -> int:
    try:
        for line in rule_command.answers(given):
            print(line)
    except InvalidInput as error:
        print(f"hallway: {error}", file=sys.stderr)
        return 2
    return 0


def _import_pimatic(given: argparse.Namespace) -> int:
    from hallway.clock import SystemClock
    from hallway.language.expressions import parse
    from hallway.language.kinds import built_in
    from hallway.language.rules import RuleParser
    from hallway.moving import Import, import_pimatic

    asked = Import(
        config=given.config, home=given.home, database=given.database, dry_run=given.dry_run, replace=given.replace
    )
    try:
        with asyncio.Runner() as runner:
            told = import_pimatic(asked, SystemClock(runner.get_loop()), parse, RuleParser(built_in()))
    except ConfigurationError:
        raise
    except InvalidInput as error:
        print(f"hallway: {error}", file=sys.stderr)
        return 2
    for line in told:
        print(line)
    return 0


def _export_pimatic(given: argparse.Namespace) -> int:
    from hallway.clock import SystemClock
    from hallway.moving import export_pimatic
    from hallway.moving_files import write_private

    with asyncio.Runner() as runner:
        text, notes = export_pimatic(given.home, SystemClock(runner.get_loop()))
    if given.output is None:
        print(text, end="")
    else:
        write_private(given.output, text)
    for note in notes:
        print(note, file=sys.stderr)
    return 0


def _run(given: argparse.Namespace) -> int:
    return _serve(given, load(given.home, must_exist=True), demo=False)


def _demo(given: argparse.Namespace) -> int:
    from hallway.demo import write_home

    write_home(given.home, given.port or DEFAULT_PORT)
    return _serve(given, load(given.home, must_exist=True), demo=True)


def _serve(given: argparse.Namespace, settings: Settings, *, demo: bool) -> int:
    import uvloop

    from hallway.app import App, serve

    logging.basicConfig(
        level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    for noisy in ("asyncio", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    host = given.host or settings.http.host
    port = settings.http.port if given.port is None else given.port

    def prepare(app: App) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, app.request_stop)
        if demo:
            from hallway.demo import Life

            app.add_source(Life(app.home, random.Random()))  # noqa: S311 - no secret depends on it

    def started(app: App, listening: int) -> None:
        for line in (f"parked: {problem}" for problem in app.parked):
            print(line, file=sys.stderr)
        print(_greeting(host, listening, settings, demo=demo), flush=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        again = runner.run(serve(given.home, settings, host, port, started, prepare))
    if again:
        sys.stderr.flush()
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very command once more, without a shell
    return 0


def _log_in(settings: Settings) -> str:
    return f"\n  user      {settings.users[0].username}, with the same password" if settings.users else ""


def _peoples_try(settings: Settings, url: str) -> str:
    if not settings.users:
        return ""
    known = f"{settings.users[0].username}:{settings.users[0].password}"
    return f"\n  curl --user {known} {url}/api/variables/the-answer\n\nAll that can be asked: {url}/api/actions"


def _greeting(host: str, port: int, settings: Settings, *, demo: bool) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - shown, not bound
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    if not demo:
        return f"hallway {__version__} runs {settings.home.name} at {url} (process {os.getpid()})"
    password = settings.http.api_password
    header = f'-H "X-HA-Access: {password}"' if password else ""
    return f"""
hallway {__version__} runs the demo home

  address   {url}
  password  {password or "none is needed"}{_log_in(settings)}

Try:
  curl {header} {url}/api/states
  curl {header} -d '{{"entity_id": "light.bed_light", "brightness": 120}}' {url}/api/services/light/turn_on
  curl {header} -N {url}/api/stream{_peoples_try(settings, url)}

Stop with Ctrl-C. The home is kept in {settings.source.parent}.
"""
