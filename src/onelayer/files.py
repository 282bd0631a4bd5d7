"""Writing a file so that nobody ever finds half of it, nor loses one that is read."""

import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path


def check_output(path: str, sources: Sequence[str] = ()) -> None:
    """Refuse, before the work is done, what `write_whole` could not write, or what would overwrite one of its sources.

    Raises
    ------
    ValueError
        For a folder, a path in no folder or in one that cannot be written into, and for a file that is read.

    Examples
    --------
    >>> check_output("nowhere/model")
    Traceback (most recent call last):
    ValueError: 'nowhere/model' cannot be saved, for there is no folder 'nowhere': make it first
    """
    if path == "-":
        return
    if not path:
        raise ValueError("the path to write to is empty: name a file, or - for standard output")
    if os.path.isdir(path):
        raise ValueError(f"{path!r} is a folder: name a file in it")
    real, folder = Path(os.path.realpath(path)), Path(path).parent
    if not real.parent.is_dir():
        raise ValueError(f"{path!r} cannot be saved, for there is no folder {str(folder)!r}: make it first")
    device = os.path.exists(path) and not os.path.isfile(path)
    if not os.access(path if device else real.parent, os.W_OK):
        where = "it" if device else f"the folder {str(folder)!r}"
        raise ValueError(f"{path!r} cannot be saved, for you may not write into {where}: name another")
    for source in sources:
        file = 0 if source == "-" else source
        if os.path.isfile(path) and os.path.exists(file) and os.path.samefile(file, path):
            raise ValueError(f"{path!r} is read by this command, which would overwrite it: name another file to write")


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; into a pipe or a device, write; "-" is standard output.

    A file that is there already keeps its permissions.

    Raises
    ------
    OSError
        With the path, where it cannot be written; what was there before is left as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_whole(Path(folder) / "a", b"whole")
    ...     (Path(folder) / "a").read_bytes()
    b'whole'
    """
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # before it is resolved: /dev/stdout may be a pipe
            Path(path).write_bytes(data)
            return
        path = Path(os.path.realpath(path))
        temporary = path.parent / f".{secrets.token_hex(8)}.part"
        try:
            with temporary.open("xb") as file:
                if path.exists():
                    shutil.copymode(path, temporary)
                file.write(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
