"""Writing a file so that nobody ever finds half of it."""

import os
import secrets
import shutil
import sys
from pathlib import Path


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
