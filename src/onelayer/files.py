"""Writing a file so that nobody ever finds half of it."""

import os
import secrets
import sys
from pathlib import Path


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; into a pipe or a device, write; "-" is standard output.

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
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        temporary = path.parent / f".{secrets.token_hex(8)}.part"
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
