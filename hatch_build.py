"""Builds the front-end when a wheel or sdist is made and the bundle is missing or stale.

Without npm the package is built all the same; its views are then text and HTML.
Set ``NBKERAS_REQUIRE_FRONTEND=1`` where that would be a mistake, as in a release.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = Path("nbkeras", "widgets", "frontend")
STATIC = Path("nbkeras", "widgets", "static")
NOT_SOURCES = {"node_modules", "tests"}


class FrontendHook(BuildHookInterface):
    """Runs ``npm ci`` and ``npm run build`` where that is needed and possible."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files."""
        root = Path(self.root)
        if is_current(root):
            return
        try:
            build(root)
        except FrontendError as reason:
            if os.environ.get("NBKERAS_REQUIRE_FRONTEND"):
                raise
            self.app.display_warning(f"nbkeras: {reason}; views will be text and HTML.")


class FrontendError(Exception):
    """Why there is no bundle, in a few words."""


def is_current(root: Path) -> bool:
    """Whether every built file is at least as new as every source."""
    built = [path.stat().st_mtime for path in (root / STATIC).glob("*.js")]
    sources = [path.stat().st_mtime for path in source_files(root / FRONTEND)]
    return bool(built) and min(built) >= max(sources, default=0.0)


def source_files(folder: Path) -> list[Path]:
    """The files that the bundle is made of."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(folder).parts)
    ]


def build(root: Path) -> None:
    """Install what the front-end needs, exactly as locked, and bundle it."""
    npm = shutil.which("npm")
    if npm is None:
        raise FrontendError("npm was not found")
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        try:
            subprocess.run([npm, *arguments], cwd=root / FRONTEND, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise FrontendError(f"npm {arguments[0]} failed ({error})") from error
