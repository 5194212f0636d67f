"""`holdall`: thin commands over the library."""

from __future__ import annotations

import sys
import warnings
from gettext import gettext as _
from typing import Final, NoReturn

import click

from holdall.cli.lazy import DEBUG, LazyGroup
from holdall.cli.translation import speak, translated
from holdall.version import __version__

_COMMANDS: Final = {
    "export": "holdall.cli.export:export",
    "plugins": "holdall.cli.plugins:plugins",
    "providers": "holdall.cli.providers:providers",
    "resume": "holdall.cli.run:resume",
    "run": "holdall.cli.run:run",
    "schema": "holdall.cli.schema:schema",
    "sessions": "holdall.cli.sessions:sessions",
}

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C, as shells count: 128 and the number of SIGINT."""


class _Root(LazyGroup):
    """The group of all commands; `--no-plugins` takes a value behind `=` and no other."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the command."""
        end = next((n for n, text in enumerate(args) if not text.startswith("-")), len(args))
        args[:end] = ["--no-plugins=*" if text == "--no-plugins" else text for text in args[:end]]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Root,
    targets=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="holdall")
@click.option(
    "--no-plugins",
    metavar="[=ID,...]",
    help="Use holdall's own plugins and no others; with ids, all but these.",
)
@click.option(
    "--debug",
    is_flag=True,
    envvar="HOLDALL_DEBUG",
    help="Print the traceback of each error. [env: HOLDALL_DEBUG]",
)
@click.pass_context
def cli(context: click.Context, *, no_plugins: str | None, debug: bool) -> None:  # noqa: ARG001 - `policy` reads it
    """Run jobs into a session that survives, and turn it into any report.

    Exit codes: 0 fine, 1 tests failed, 2 wrong usage, 3 the session or its
    storage can't be used, 4 a plugin failed, 130 interrupted.
    """
    context.ensure_object(dict)[DEBUG] = debug


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; errors are one line on standard error."""
    from holdall.cli.exits import exit_code, message, traceback_of
    from holdall.deprecation import HoldallDeprecationWarning

    speak()
    warnings.showwarning = _show_warning
    warnings.filterwarnings("default", category=HoldallDeprecationWarning)
    chosen: dict[str, bool] = {}
    try:
        code = translated(cli).main(
            args=arguments, prog_name="holdall", standalone_mode=False, obj=chosen
        )
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"holdall: {_('interrupted')}", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        click.echo(f"holdall: {message(error)}", err=True)
        if chosen.get(DEBUG):
            click.echo(traceback_of(error), err=True, nl=False)
    sys.exit(code or 0)


def _show_warning(message: Warning | str, *_location: object, **_more: object) -> None:
    click.echo(f"holdall: {message}", err=True)
