"""The directive `terminal`: shell commands run by the build, shown with what they answered, and a picture they drew.

The commands of a page share one folder, in order, so that a page tells a story. A command that ends in another exit
code than `:exit:` (0 unless told) fails the build. `:picture:` names a file to be shown below them.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Terminal(SphinxDirective):
    """Runs its lines one after the other; `:hidden:` shows nothing."""

    has_content = True
    option_spec: ClassVar = {
        "hidden": lambda argument: True,
        "exit": int,
        "picture": str,
        "alt": str,
    }

    def run(self) -> list[nodes.Node]:
        data = self.env.temp_data  # Sphinx empties it after each page
        if "terminal" not in data:
            data["terminal"] = TemporaryDirectory(
                prefix="onelayer-", ignore_cleanup_errors=True
            )
        shown = []
        for command in self.content:
            code, output = run(command, Path(data["terminal"].name))
            if code != self.options.get("exit", 0):
                raise self.error(f"`{command}` ended in exit code {code}:\n{output}")
            shown += [f"$ {command}", *output.rstrip().splitlines()]
        if "hidden" in self.options:
            return []
        text = "\n".join(shown)
        return [
            nodes.literal_block(text, text, language="console"),
            *self.picture(Path(data["terminal"].name)),
        ]

    def picture(self, folder: Path) -> list[nodes.Node]:
        """The picture that the commands drew, kept where the pages' other pictures are made."""
        name = self.options.get("picture")
        if name is None:
            return []
        kept = Path(self.env.srcdir, "auto", "terminal", name)
        kept.parent.mkdir(parents=True, exist_ok=True)
        copyfile(folder / name, kept)
        return [nodes.image(uri=f"/auto/terminal/{name}", alt=self.options.get("alt", name))]


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit code and output, errors among it, of one command with the scripts of this Python first."""
    path = os.pathsep.join(
        [
            sysconfig.get_path("scripts"),
            str(Path(sys.executable).parent),
            os.environ.get("PATH", ""),
        ]
    )
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("terminal", Terminal)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
