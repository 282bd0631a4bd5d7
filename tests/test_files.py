"""A file is written whole or not at all; pipes, devices and standard output are written into."""

import os
import subprocess
import sys

import pytest

from onelayer.files import check_output, write_whole


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("before")
    link.symlink_to(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
            write_whole(path, b"after")
    assert path.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link"]
    write_whole(link, b"after")
    assert link.is_symlink()
    assert path.read_text() == "after"
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode  # readable for whom other files are
    with pytest.raises(OSError, match=f"No such file or directory: '{tmp_path}/nowhere/m'"):
        write_whole(tmp_path / "nowhere" / "m", b"")


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o755])
def test_a_file_that_is_there_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"
    assert path.stat().st_mode & 0o777 == mode


def test_standard_output_has_a_path(tmp_path):
    program = "from onelayer.files import write_whole; write_whole('/dev/stdout', b'through')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout == b"through"


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        write_whole(pipe, b"through")
        assert reader.stdout.read() == b"through"
    assert pipe.is_fifo()


def test_a_full_disk_is_said_with_the_path():
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_whole("/dev/full", b"x" * 100_000)


def test_a_file_that_is_read_is_not_written(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("data")
    link.symlink_to(path)
    for output, source in ((path, path), (link, path), (path, link), (path, tmp_path / "." / "file")):
        with pytest.raises(ValueError, match="is read by this command, which would overwrite it: name another file"):
            check_output(str(output), ["-", str(source)])
    check_output(str(path), ["-", str(tmp_path / "other")])
    check_output("/dev/null", ["/dev/null"])
    check_output("-", ["-"])


def test_a_folder_that_may_not_be_written_into_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(tmp_path))
    message = f"'{tmp_path}/m' cannot be saved, for you may not write into the folder '{tmp_path}': name another"
    with pytest.raises(ValueError, match=message):
        check_output(f"{tmp_path}/m")
    (tmp_path / "in").mkdir()
    check_output(f"{tmp_path}/in/m")


def test_a_dash_is_standard_output(tmp_path):
    program = "from onelayer.files import write_whole; write_whole('-', bytes(range(256)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=tmp_path, check=True)
    assert done.stdout == bytes(range(256))
    assert list(tmp_path.iterdir()) == []
