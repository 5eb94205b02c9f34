"""The command `hallway`: run a home, try the demo, check a configuration, ask about rules, move in and out.

Exit codes: 0 all is well, 1 the hub cannot run, 2 the configuration or the command line is wrong, 128 and the number of
the signal that stopped a command before its end: 130 Ctrl-C, 143 SIGTERM.
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
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from hallway import __version__
from hallway.commands import history, revisions, rules, store
from hallway.commands.stopping import Stops, if_stopped, if_stopped_writing
from hallway.commands.telling import be_silent, complain, hand_out, have_streams, say, show, tell
from hallway.errors import HallwayError, InvalidInput
from hallway.settings import ConfigurationError, Settings, load

DEFAULT_PORT = 8123
MAX_PORT = 65535
NOTHING = "nothing was changed"
AGAIN = "what was moved stays, and the same command once more does the rest"
Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code."""
    have_streams()
    given = _asked(arguments)
    command: Command = given.command
    try:
        return command(given) if command in (_run, _demo) else _to_its_end(command, given)
    except ConfigurationError as error:
        complain(str(error))
        return 2
    except HallwayError as error:
        complain(f"hallway: {error}")
        return 1
    except KeyboardInterrupt:
        return 0


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    try:
        return _parser().parse_args(arguments)
    except SystemExit:
        say("")  # what it printed is on its way still, and the reader may be gone
        raise


def _to_its_end(command: Command, given: argparse.Namespace) -> int:
    """Run a command that ends by itself, or by being stopped."""
    with Stops() as stops:
        try:
            return command(given)
        except KeyboardInterrupt as stopped:
            be_silent()
            complain("hallway: stopped: " + ": ".join(map(str, stopped.args or (NOTHING,))))
            return stops.status


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
    rules.add_options(rule)
    rule.set_defaults(command=_rule)
    edited = commands.add_parser("revisions", help="see what was edited in a running hub, undo it, restore what was")
    revisions.add_options(edited)
    edited.set_defaults(command=_revisions)
    past = commands.add_parser("history", help="take away what a running hub keeps of the past")
    history.add_options(past)
    past.set_defaults(command=_history)
    _backup_options(commands)
    stored = commands.add_parser("store", help="how a home and its PostgreSQL database stand; move it there or back")
    store.add_options(stored)
    stored.set_defaults(command=_store)
    moving_in = commands.add_parser("import", help="bring the home of another program into a home")
    _import_options(moving_in.add_subparsers(required=True, metavar="PROGRAM"))
    moving_out = commands.add_parser("export", help="write a home as the configuration of another program")
    _export_options(moving_out.add_subparsers(required=True, metavar="PROGRAM"))
    return parser


def _backup_options(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--home", type=Path, required=name != "verify", metavar="DIR", help="directory of the home")
        made.set_defaults(command=_backup, what=name)
        return made

    backup = command("backup", "back up a home, whether it runs or not, and verify the backup")
    where = "a directory or a new file; the configured directory if it is not given"
    backup.add_argument("to", type=Path, nargs="?", metavar="TO", help=where)
    backup.add_argument("--history", action="store_true", help="the history too, as a second file")
    backup.add_argument("--secrets", action="store_true", help="secrets.yaml too; keep such a backup as safe as that")
    backup.add_argument("--keep", type=int, metavar="N", help="then remove older backups in that directory but for N")
    backup.add_argument("--gently", action="store_true", help="give way to whatever else this machine does")
    backup.add_argument("--json", action="store_true", help="answer with one JSON object, for programs")
    verify = command("verify", "look whether a backup is whole")
    verify.add_argument("file", type=Path, metavar="FILE", help="a backup")
    restore = command("restore", "put a home back as it was in a backup")
    restore.add_argument("file", type=Path, metavar="FILE", help="a backup")
    restore.add_argument("--dry-run", action="store_true", help="tell what would change and change nothing")
    restore.add_argument("--history", action="store_true", help="the history too, which must be in the backup")
    restore.add_argument("--keep-configuration", action="store_true", help="leave configuration.yaml as it is")


def _backup(given: argparse.Namespace) -> int:
    from hallway.commands import backup

    commands = {"backup": backup.backup, "verify": backup.verify, "restore": backup.restore}
    tell(commands[given.what](given))
    return 0


def _refusing(command: Command) -> Command:
    """What was asked for in a way that cannot be is said in one line, as what is wrong with the command line."""

    def refuses(given: argparse.Namespace) -> int:
        try:
            return command(given)
        except ConfigurationError:
            raise
        except InvalidInput as error:
            complain(f"hallway: {error}")
            return 2

    return refuses


@_refusing
def _store(given: argparse.Namespace) -> int:
    if given.doing == "status":
        show(store.done(given))
        return 0
    with if_stopped(NOTHING if given.dry_run else AGAIN):
        tell(store.done(given))
    return 0


def _import_options(programs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pimatic = programs.add_parser("pimatic", help="a config.json of pimatic 0.9")
    pimatic.add_argument("config", type=Path, metavar="CONFIG", help="pimatic's config.json")
    pimatic.add_argument("--home", type=Path, required=True, metavar="DIR", help="directory of the home, new or not")
    pimatic.add_argument("--database", type=Path, metavar="FILE", help="pimatic-database.sqlite, for the past")
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
    from hallway.residents import without_role

    settings = load(given.home, must_exist=True)
    problems = check(settings, parse, RuleParser(built_in()))
    if problems:
        raise ConfigurationError(problems)
    tell((*expected(settings, parse), *without_role(settings.users)))
    say(f"{settings.source}: {len(settings.devices)} devices, {len(settings.variables)} variables: all is well\n")
    return 0


@_refusing
def _history(given: argparse.Namespace) -> int:
    if given.output is None:
        with if_stopped("what was printed is not all of it"):
            hand_out(history.pieces(given))
        return 0
    with _writing(given.output):
        say(f"{history.written(given)}\n")
    return 0


@_refusing
def _revisions(given: argparse.Namespace) -> int:
    if not given.edits:
        show(revisions.answers(given))
        return 0
    with if_stopped("`hallway revisions list` tells whether the hub has done it"):
        tell(revisions.answers(given))
    return 0


@_refusing
def _rule(given: argparse.Namespace) -> int:
    show(rules.answers(given))
    return 0


@_refusing
def _import_pimatic(given: argparse.Namespace) -> int:
    from hallway.clock import SystemClock
    from hallway.language.expressions import parse
    from hallway.language.kinds import built_in
    from hallway.language.rules import RuleParser
    from hallway.moving import Import, came_so_far, import_pimatic

    asked = Import(
        config=given.config, home=given.home, database=given.database, dry_run=given.dry_run, replace=given.replace
    )
    with asyncio.Runner() as runner:
        clock = SystemClock(runner.get_loop())
        told = import_pimatic(asked, clock, parse, RuleParser(built_in()), _bring_past if given.database else None)
    with if_stopped(NOTHING if given.dry_run else came_so_far(given.home)):
        tell(told)
    return 0


def _bring_past(database: Path, home: Path | None, can_use: Callable[[str, str, str], bool]) -> list[str]:
    from hallway.moving_past import bring_past

    return list(bring_past(database, home, can_use, complain))


def _export_pimatic(given: argparse.Namespace) -> int:
    from hallway.clock import SystemClock
    from hallway.moving import export_pimatic
    from hallway.moving_files import write_private

    with asyncio.Runner() as runner:
        text, notes = export_pimatic(given.home, SystemClock(runner.get_loop()))
    with nullcontext() if given.output is None else _writing(given.output):
        if given.output is None:
            hand_out([text.encode()])
        else:
            write_private(given.output, text)
        for note in notes:
            complain(note)
    return 0


def _writing(output: Path) -> AbstractContextManager[None]:
    return if_stopped_writing(output, f"{output} is as it was", f"{output} is new and complete")


def _run(given: argparse.Namespace) -> int:
    if any(next(given.home.glob(left), None) for left in ("restore.next*", "hallway-trial-*")):
        from hallway.store.restoring import finish_alone

        finish_alone(given.home)
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
            complain(line)
        say(f"{_greeting(host, listening, settings, demo=demo)}\n")

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
