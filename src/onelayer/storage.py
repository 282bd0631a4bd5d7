"""The file of a model: a safetensors file of arrays and one JSON text, with a digest; data, never code."""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.files import write_whole

Array = NDArray[Any]

FORMAT = "onelayer-model"
VERSIONS = ("1", "2", "3", "4")


class ModelError(ValueError):
    """A file that is not a model this version can use."""


def write(path: str | Path, described: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write what describes a model and its arrays; whole, or not at all."""
    from safetensors.numpy import save

    text = json.dumps(described, ensure_ascii=False, sort_keys=True)
    content = {name: np.ascontiguousarray(array, dtype=np.float64) for name, array in arrays.items()}
    head = {"format": FORMAT, "version": _version(described), "sha256": digest(text, content), "model": text}
    write_whole(path, save(content, metadata=head))


def check_replaced(path: str) -> None:
    """Refuse, before the work is done, to replace a file that holds anything but a model.

    Raises
    ------
    ValueError
        For a file that is there, is not empty, and is no model of ours.
    """
    if path == "-" or not Path(path).is_file():
        return
    with Path(path).open("rb") as file:
        start = file.read(8)
        head = file.read(min(int.from_bytes(start, "little"), Path(path).stat().st_size))
    if start and not (head.startswith(b'{"__metadata__"') and f'"{FORMAT}"'.encode() in head):
        raise ValueError(f"{path!r} is there and no model, and would be replaced: name another file, or remove it")


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """What `write` was given; "-" is standard input. Nothing in the file is executed.

    Raises
    ------
    ModelError
        In one sentence, for a file that is damaged, of a later version, or no model at all.
    """
    name = _name(path)
    head, arrays = _standard_input(name) if str(path) == "-" else _opened(str(path), name)
    if head.get("format") != FORMAT:
        raise ModelError(f"{name} holds no onelayer model")
    if head.get("version") not in VERSIONS:
        raise ModelError(
            f"{name} is of version {head.get('version')!r}, but this onelayer reads {', '.join(VERSIONS)}: "
            "upgrade onelayer"
        )
    changed = ModelError(f"{name} was changed since it was saved: fit and save it again")
    if head.get("sha256") != digest(head.get("model", ""), arrays):
        raise changed
    try:
        described = json.loads(head["model"])
        version = _version(described)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    if head["version"] != version:  # the digest is not of it, so one bit could turn 1 into 3
        raise changed
    return described, arrays


def _version(described: Mapping[str, Any]) -> str:
    """The earliest that can say it.

    1, one layer of classes; 2, numbers and hidden layers; 3, the length of texts; 4, by which rules they are cut.
    """
    needs = {"4": "text_rules" in described["encoder"], "3": "text_length" in described["encoder"]}
    return next((version for version, needed in needs.items() if needed), "2" if "hidden" in described else "1")


def damaged(path: str | Path, error: Exception) -> ModelError:
    """What to say of a file whose parts are none of a model."""
    reason = " ".join(str(error).split())[:200]
    return ModelError(f"{_name(path)} is damaged: {reason}: fit and save it again")


def digest(text: str, arrays: Mapping[str, Array]) -> str:
    """SHA-256 of the text and of every array with its name and shape."""
    found = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        found.update(f"{name}{arrays[name].shape}".encode())
        found.update(np.ascontiguousarray(arrays[name]).data)
    return found.hexdigest()


def _name(path: str | Path) -> str:
    return "standard input" if str(path) == "-" else repr(str(path))


def _standard_input(name: str) -> tuple[dict[str, str], dict[str, Array]]:
    if sys.stdin is None:
        raise ModelError(f"{name} cannot be read, for it is closed: name a file")
    with TemporaryDirectory() as folder:  # safetensors reads heads of files only
        file = Path(folder, "model")
        file.write_bytes(sys.stdin.buffer.read())
        return _opened(str(file), name)


def _opened(path: str, name: str) -> tuple[dict[str, str], dict[str, Array]]:
    from safetensors import SafetensorError, safe_open

    if Path(path).is_dir():
        raise ModelError(f"{name} is a folder: name a model file in it")
    try:
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise ModelError(f"model file {name} does not exist") from error
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{name} is not a model file, or is damaged: fit and save it again") from error
