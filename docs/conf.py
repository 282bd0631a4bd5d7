"""How the documentation is built: `sphinx-build -W docs docs/build`. Nothing is fetched, now or when it is read."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "onelayer"
version = release = installed("onelayer")
copyright = "the authors of onelayer"
extensions = [
    "mathml",
    "terminal",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "build",
    "auto/**/*.py",
    "**/README.rst",
    "auto/sg_execution_times.rst",
    "sg_execution_times.rst",
]
templates_path: list[str] = []

html_theme = "furo"
html_title = "onelayer"
html_static_path = ["style"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_sphinx = False
default_role = "py:obj"  # docstrings name things in single backticks

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's Parameters say it in words
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_custom_sections = [
    ("Attributes", "params_style")
]  # a list, with names as they are written

myst_enable_extensions = ["dollarmath", "fieldlist"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "image_scrapers": ("moving.gifs", "matplotlib"),
    "examples_dirs": ["learn", "failures", "gallery"],
    "gallery_dirs": ["auto/learn", "auto/failures", "auto/pictures"],
    "filename_pattern": r"plot_",
    "within_subsection_order": "sphinx_gallery.sorting.FileNameSortKey",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "reset_modules": ("matplotlib", "plain_warnings.without_paths"),
    "reset_modules_order": "both",
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 60,
    "write_computation_times": False,
    "download_all_examples": False,
    "plot_gallery": True,
    "copyfile_regex": "",
}
