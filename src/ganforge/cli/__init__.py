"""The command line: parse, call, print. Heavy imports stand inside the commands, so that ``--help`` is instant."""

import os
import sys
from pathlib import Path

import typer

from ganforge.cli.compare import compare
from ganforge.cli.data import data_app
from ganforge.cli.demo import demo
from ganforge.cli.evaluate import evaluate
from ganforge.cli.learn import learn
from ganforge.cli.sample import sample
from ganforge.cli.terminal import STOPPED, complain, prepare_streams
from ganforge.cli.train import recipes, resume, train
from ganforge.cli.turing import turing
from ganforge.errors import GanforgeError

app = typer.Typer(
    name="ganforge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(train)
app.command()(resume)
app.command()(sample)
app.command()(turing)
app.command()(evaluate)
app.command()(compare)
app.command()(recipes)
app.command()(learn)
app.add_typer(data_app, name="data")


def _version(asked: bool) -> None:
    if asked:
        from ganforge import __version__

        typer.echo(f"ganforge {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """From a collection of pictures to a generator of new ones, on the computer you have.

    PICTURES is a folder, a zip or tar, class folders, a Hugging Face imagefolder, CelebA, IDX, npz, or
    avatars[:COUNT[:SEED]]. MODEL is a run folder or a model folder. Start with: ganforge demo
    """


def main() -> None:
    """Run the command line; a user's mistake ends in one message, never in a traceback."""
    prepare_streams()
    try:
        status = app(prog_name="ganforge", standalone_mode=False)  # Typer turns Ctrl-C into the status 130
        if status == STOPPED:
            complain("Stopped.")
        sys.exit(status or 0)
    except GanforgeError as error:
        complain(str(error))
        sys.exit(error.exit_status)
    except (typer.Abort, KeyboardInterrupt):
        complain("Stopped.")
        sys.exit(STOPPED)
    except MemoryError:
        complain("There is not enough memory for this. Ask for fewer or smaller pictures, or close other programs.")
        sys.exit(1)
    except BrokenPipeError:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - nobody reads on; exit quietly
        sys.exit(0)
    except OSError as error:
        complain(f"{error.filename or 'A file'}: {error.strerror or error}")
        sys.exit(1)
    except Exception as error:
        show = getattr(error, "show", None)  # what Click raises for a wrong option or argument
        if show is None:
            raise
        show()
        sys.exit(getattr(error, "exit_code", 2))
