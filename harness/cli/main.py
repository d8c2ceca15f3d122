"""The `harness` command: registers every command, turns errors into one line and an exit code."""

import errno
import sys
from typing import Annotated, NoReturn

import typer

import harness
from harness.cli import (
    batch,
    check_brain,
    circuit,
    compare,
    conditions,
    dataset,
    doctor,
    evaluate,
    lap,
    latency_sweep,
    metrics,
    model,
    models,
    optimize,
    profile,
    replay,
    report,
    train,
    video,
)
from harness.errors import DataError, PitwallError, StorageError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
_EXIT_CODES = """
Exit codes: 0 done (for `lap`: driving ended in a result, whatever it was) | 1 other error |
2 unknown name or senseless value | 3 broken or missing file | 4 this machine lacks something |
5 harness or simulator failed | 6 brain failed | 7 recording can't be written
"""


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pitwall {harness.__version__}")
        raise typer.Exit


def build_app() -> typer.Typer:
    """The command line, assembled."""
    app = typer.Typer(
        name="harness",
        epilog=_EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command()(lap.lap)
    app.command()(batch.batch)
    app.command()(replay.replay)
    app.command()(report.report)
    app.command()(compare.compare)
    app.command()(metrics.metrics)
    app.command()(video.video)
    app.command()(conditions.conditions)
    app.command()(models.models)
    app.add_typer(model.app, name="model")
    app.command()(optimize.optimize)
    app.command()(evaluate.evaluate)
    app.command("check-brain")(check_brain.check_brain)
    app.add_typer(circuit.app, name="circuit")
    app.add_typer(dataset.app, name="dataset")
    app.command()(train.train)
    app.command()(profile.profile)
    app.command()(latency_sweep.latency_sweep)
    app.command()(doctor.doctor)
    return app


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version."),
    ] = False,
) -> None:
    """Closed-loop benchmark of optimised driving networks."""
    del version


def main() -> None:
    """Entry point."""
    try:
        build_app()()
    except PitwallError as error:
        _end(error)
    except OSError as error:
        # What no reader foresees: a name too long, links in a circle, a disk that fails.
        kind = StorageError if error.errno in _DISK else DataError
        _end(kind(f"{error.filename or 'a file'}: {error.strerror or error}"))


def _end(error: PitwallError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(error.exit_code)
