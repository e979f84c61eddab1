"""``python -m nbkeras``: scripts that say ``import keras``, and the kernel for JupyterLab."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nbkeras import __version__

KERNELSPEC = Path(__file__).parent / "kernelspec"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = argparse.ArgumentParser(
        "python -m nbkeras",
        description="Define, train and watch neural networks in Jupyter notebooks.",
        epilog="In a notebook: %load_ext nbkeras, then %%model? and %fit?",
    )
    parser.add_argument("--version", action="version", version=f"nbkeras {__version__}")
    commands = parser.add_subparsers(title="commands")
    kernelspec = commands.add_parser(
        "kernelspec", help="the kernel 'Python (nbkeras)', which has the extension loaded"
    )
    actions = kernelspec.add_subparsers(title="actions", required=True)
    installing = actions.add_parser("install", help="offer it in JupyterLab's launcher")
    place = installing.add_mutually_exclusive_group()
    place.add_argument("--user", action="store_true", help="for you only")
    place.add_argument("--sys-prefix", action="store_true", help="in this environment (default)")
    place.add_argument("--prefix", metavar="FOLDER", help="in another environment")
    installing.set_defaults(run=install)
    running = commands.add_parser("run", help="run a script that says `import keras`")
    running.add_argument("script", help="the Python file")
    running.add_argument("arguments", nargs=argparse.REMAINDER, help="what it is given")
    running.set_defaults(run=run)
    asked = parser.parse_args(arguments)
    if not hasattr(asked, "run"):
        print(f"nbkeras {__version__}\n")
        parser.print_help()
        return 0
    return asked.run(asked)


def run(asked: argparse.Namespace) -> int:
    """Run a script against nbkeras."""
    from nbkeras.core.alias import run_script

    try:
        run_script(asked.script, asked.arguments)
    except FileNotFoundError as error:
        if error.filename is not None:  # the script's own
            raise
        print(error, file=sys.stderr)
        return 2
    return 0


def install(asked: argparse.Namespace) -> int:
    """Install the kernel spec, bound to this very interpreter."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError:
        print("This needs Jupyter: pip install 'nbkeras[lab]'", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for file in KERNELSPEC.iterdir():
            if file.is_file():
                Path(folder, file.name).write_bytes(file.read_bytes())
        spec = json.loads(Path(folder, "kernel.json").read_text("utf-8"))
        spec["argv"][0] = sys.executable
        Path(folder, "kernel.json").write_text(json.dumps(spec, indent=2), "utf-8")
        prefix = None if asked.user else asked.prefix or sys.prefix
        try:
            where = KernelSpecManager().install_kernel_spec(
                folder, "nbkeras", user=asked.user, prefix=prefix
            )
        except OSError as error:
            print(
                f"Nothing was installed: {error}\nTry: python -m nbkeras kernelspec install --user",
                file=sys.stderr,
            )
            return 1
    print(f"Installed the kernel 'Python (nbkeras)' in {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
