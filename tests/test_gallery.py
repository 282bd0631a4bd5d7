"""Every program of the gallery runs by itself and draws; together they show every picture there is."""

import runpy
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from onelayer import plots

matplotlib.use("Agg")
GALLERY = sorted((Path(__file__).parents[1] / "docs" / "gallery").glob("plot_*.py"))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_a_program_of_the_gallery_draws(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)  # Agg has no window, and would say so
    runpy.run_path(str(path))
    figure = plt.gcf()
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]
    assert (pixels.min(axis=2) < 128).mean() > 0.005
    plt.close("all")
    title = path.read_text(encoding="utf-8").splitlines()[1:3]
    assert title[1] == "=" * len(title[0])


def test_every_picture_is_shown():
    text = "".join(path.read_text(encoding="utf-8") for path in GALLERY)
    pictures = [name for name in plots.__all__ if name.islower() and name != "boundary_segment"]
    assert [name for name in pictures if f"plots.{name}(" not in text] == []
