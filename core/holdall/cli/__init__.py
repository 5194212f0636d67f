"""`holdall`: thin commands over the library."""

from __future__ import annotations

import sys
import warnings
from gettext import gettext as _
from typing import Final, NoReturn

import click

from holdall.cli.lazy import LazyGroup
from holdall.cli.words import speak, translated
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


@click.group(
    cls=LazyGroup,
    targets=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="holdall")
@click.option("--no-plugins", is_flag=True, help="Use holdall's own plugins and no others.")
def cli(*, no_plugins: bool) -> None:
    """Run jobs into a session that survives, and turn it into any report.

    Exit codes: 0 fine, 1 tests failed, 2 wrong usage, 3 the session or its
    storage can't be used, 4 a plugin failed, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code; errors are one line on standard error."""
    from holdall.cli.exits import exit_code, message

    speak()
    warnings.showwarning = _show_warning
    warnings.filterwarnings("default", category=DeprecationWarning, module=r"holdall\b")
    try:
        code = translated(cli).main(args=arguments, prog_name="holdall", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        words = _("interrupted")
        click.echo(f"holdall: {words}", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        code = exit_code(error)
        if code is None:
            raise
        click.echo(f"holdall: {message(error)}", err=True)
    sys.exit(code or 0)


def _show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    click.echo(f"holdall: {message}", err=True)
