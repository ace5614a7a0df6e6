"""The command line: `quorate check` and its companions."""

import logging
import os
import sys
import traceback
import warnings


def main() -> None:
    """Run the command line and exit as monitoring plugins do; every error is one line, never a traceback."""
    # Standard error belongs to our own messages: libraries that we use must not write there.
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.exit(_run())


def _run() -> int:
    from typer import Abort, TyperException

    from quorate.cli.app import app
    from quorate.cli.errors import CommandError, complain

    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        said = error.format_message().rstrip(".")
        is_file = said.startswith("Got unexpected extra argument") and said.endswith((".yaml)", ".yml)"))
        help_ = "an inventory is named with -i FILE" if is_file else "`quorate --help` shows what there is"
        return complain(f"{said}; {help_}")
    except CommandError as error:
        return complain(*error.lines)
    except (Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        return end_quietly()
    except Exception as error:  # noqa: BLE001  the last resort: a fault of ours is told in a line as well
        place = traceback.extract_tb(error.__traceback__)[-1]
        name = os.path.basename(place.filename)  # noqa: PTH119  pathlib is not worth its import here
        return complain(
            f"a fault in quorate: {type(error).__name__} in {name}:{place.lineno}; please report it"
        )
    return code if isinstance(code, int) else 0


def end_quietly() -> int:
    """Return the exit code of a closed pipe, and keep Python from complaining about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
