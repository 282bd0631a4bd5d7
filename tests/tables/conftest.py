"""Files of which tests make tables."""

import pytest

from onelayer import tables


@pytest.fixture
def read(tmp_path):
    """The function that reads a table of these bytes, in a file of this name."""

    def read(data, name="table.csv", **settings):
        path = tmp_path / name
        path.write_bytes(data)
        return tables.read(path, **settings)

    return read
