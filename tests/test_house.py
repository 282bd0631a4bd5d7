"""The house stands as drawn: which room may import which, what the door shows, and how light it opens."""

import ast
import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest

import onelayer

SOURCE = Path(onelayer.__file__).parent
DOOR = SOURCE / "__init__.py"  # names every room and opens none: see test_the_door_opens_light
FILES = sorted({*SOURCE.rglob("*.py")} - {DOOR})

FLOORS = ("rows", "objective", "data", "fits", "cli")  # folders of rooms; every other file or folder is a room itself

# A room, and the rooms it may import. Rooms stand in the order of the house: arrows point up this list only.
HOUSE = {
    "counting": "",
    "files": "",
    "masks": "",
    "names": "",
    "rows": "",
    "sparse": "",
    "together": "",
    "threads": "together",
    "sources": "sparse threads",
    "objective": "",
    "losses": "masks",
    "sampling": "",
    "blocks": "",
    "product": "blocks",
    "row_space": "blocks",
    "gradient": "blocks product",
    "hessian": "blocks gradient product sparse",
    "layer": "blocks hessian row_space sampling sparse",
    "network": "",
    "solvers": "sampling together",
    "tables": "counting names",
    "plots": "losses masks",
    "diagnostics": "losses solvers",
    "data": "",
    "columns": "counting sources sampling sparse",
    "labels": "counting losses masks",
    "targets": "counting losses labels masks",
    "features": "counting names sparse",
    "fits": "",
    "settings": "network solvers threads",
    "problem": "counting sampling columns labels losses network layer settings solvers sparse targets",
    "weight_decay": "problem solvers",
    "record": "problem settings solvers targets",
    "separation": "blocks sampling solvers sources sparse threads",
    "notices": "counting diagnostics labels problem record separation solvers",
    "training": "diagnostics notices columns labels problem record settings solvers sparse targets threads "
    "weight_decay",
    "notebook": "names",
    "guide": "losses masks plots",
    "stream": "settings problem columns labels solvers sources sparse targets threads",
    "callbacks": "",
    "face": "blocks counting features columns network settings sources stream threads",
    "estimator": "counting face stream training labels losses notebook",
    "regressor": "face stream training labels targets notebook",
    "paths": "diagnostics features columns labels layer problem settings solvers sources sparse threads",
    "validation": "labels losses paths settings threads",
    "tuning": "notebook estimator labels paths settings validation face",
    "storage": "files",
    "quality": "losses",
    "model": "tables losses network quality storage",
    "kept_out": "counting",
    "fitting": "kept_out tables settings labels paths training validation model",
    "words": "counting names",
    "judged": "tables losses model network",
    "pictures": "files judged labels paths plots diagnostics settings targets threads training tables model words",
    "story": "files losses guide plots estimator",
    "terminal": "names",
    "commands": "files tables storage model fitting words pictures story terminal",
    "cli": "commands",
    "__main__": "cli",
}

PUBLIC = {
    "PerceptronClassifier": "estimator",
    "PerceptronRegressor": "regressor",
    "ProgressBar": "callbacks",
    "Model": "model",
    "fit": "fitting",
    "load": "model",
    "PerceptronClassifierCV": "tuning",
    "path": "paths",
    "guide": "guide",
    "plots": "plots",
}


def lives_in(parts):
    """The room of a file, or of a name, of these parts: on a floor a file or folder there, or the floor itself."""
    floor, *rest = (part.removesuffix(".py") for part in parts if part != "__init__.py")
    on_it = floor in FLOORS and rest and any((SOURCE / floor).glob(f"{rest[0]}*"))
    return rest[0] if on_it else floor


def room_of(path):
    return lives_in(path.relative_to(SOURCE).parts)


def imported(text, package="onelayer"):
    """Full names of the modules, or names in them, that a file of a package imports anywhere, in functions too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def rooms_imported(text, package="onelayer"):
    """Rooms behind these names; a public name, taken at the door, counts as the room it lives in."""
    names = [name.split(".") for name in imported(text, package)]
    inside = {lives_in(name[1:]) if len(name) > 1 else "onelayer itself" for name in names if name[0] == "onelayer"}
    return {PUBLIC.get(name, name) for name in inside} - {"__version__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_the_rooms_it_may(path):
    room = room_of(path)
    assert room in HOUSE, f"{room} has no place in the house: give it one in HOUSE and in docs/design.md"
    package = ".".join(["onelayer", *path.relative_to(SOURCE).parent.parts])
    forbidden = rooms_imported(path.read_text(encoding="utf-8"), package) - {room, *HOUSE[room].split()}
    assert not forbidden, f"{room} may not import {', '.join(sorted(forbidden))}"


@pytest.mark.parametrize("room", HOUSE)
def test_arrows_point_up_the_list(room):
    assert set(HOUSE[room].split()) <= set(takewhile(lambda other: other != room, HOUSE))


@pytest.mark.parametrize("room", HOUSE)
def test_no_arrow_is_allowed_that_nobody_goes(room):
    found = set()
    for path in FILES:
        if room_of(path) == room:
            package = ".".join(["onelayer", *path.relative_to(SOURCE).parent.parts])
            found |= rooms_imported(path.read_text(encoding="utf-8"), package)
    assert set(HOUSE[room].split()) <= found


def test_floors_stand_on_one_another():
    for path in FILES:
        here, *_ = path.relative_to(SOURCE).parts
        for room in HOUSE[room_of(path)].split():
            there = next(other for other in FILES if room_of(other) == room).relative_to(SOURCE).parts[0]
            if here in FLOORS and there in FLOORS and here != there:
                assert FLOORS.index(there) < FLOORS.index(here), f"{here} stands on {there}"


def test_the_page_of_the_design_shows_every_room_on_its_storey():
    page = (Path(__file__).parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
    table = page.split("| Storey | Rooms |")[1].split("\n\n")[0].splitlines()[2:]
    # from the ground up, and on a storey in the order of their names
    rooms = [name.rstrip("/") for row in reversed(table) for name in re.findall(r"`(\w+)/?`", row)]
    assert set(rooms) == {room_of(path) for path in FILES}
    for room in rooms:
        assert set(HOUSE[room].split()) & set(rooms) <= set(rooms[: rooms.index(room)]), room


@pytest.mark.parametrize(
    "text",
    [
        "import onelayer.model",
        "import numpy, onelayer.model as m",
        "from onelayer import model",
        "from onelayer import load",
        "from onelayer.model import load",
        "from . import model",
        "from .model import load",
        "def f():\n    from onelayer.model import load",
        "if TYPE_CHECKING:\n    from onelayer.model import Model",
        "importlib.import_module('onelayer.model')",
    ],
)
def test_no_way_of_importing_is_overlooked(text):
    assert rooms_imported(text) == {"model"}


def test_what_is_not_a_room_is_not_counted():
    assert rooms_imported("import numpy as np\nfrom scipy import special\nfrom onelayer import __version__") == set()
    assert rooms_imported("import onelayer") == {"onelayer itself"}
    assert rooms_imported("from . import newton\nfrom .auto import solve", "onelayer.solvers") == {"solvers"}
    assert rooms_imported("from ..losses import sigmoid\nfrom .. import plots", "onelayer.solvers") == {
        "losses",
        "plots",
    }


def test_the_door_opens_light():
    program = "import sys, onelayer; dir(onelayer); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "onelayer" in loaded
    assert not loaded & {"sklearn", "scipy", "polars", "matplotlib", "click", "rich", "safetensors", "threadpoolctl"}
    assert not {name for name in loaded if name.startswith("onelayer.")}


def test_a_fit_of_a_table_waits_for_no_other_package_than_it_uses():
    """scikit-learn takes a second to import; with an L2 penalty nothing of it is asked."""
    program = (
        "import sys, onelayer; onelayer.fit({'x': [0.0, 1.0, 2.0, 3.0] * 9, 'y': ['a', 'a', 'b', 'b'] * 9}, 'y'); "
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"onelayer.solvers", "polars"} <= loaded
    assert not loaded & {"sklearn", "scipy.stats", "pandas", "matplotlib", "safetensors"}


def test_the_door_shows_the_documented_names():
    assert sorted(onelayer.__all__) == sorted(PUBLIC)
    assert sorted(dir(onelayer)) == sorted([*PUBLIC, "__version__"])
    assert onelayer.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="module 'onelayer' has no attribute 'perceptron'"):
        onelayer.perceptron  # noqa: B018


@pytest.mark.parametrize("name", PUBLIC)
def test_a_name_leads_to_its_room(name):
    room = PUBLIC[name]
    found = getattr(onelayer, name)
    assert (found.__name__ if name == room else found.__module__) == f"onelayer.{room}"
