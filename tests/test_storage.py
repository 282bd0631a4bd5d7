"""The file of a model: what is damaged is refused in a sentence, and nothing in it is executed."""

import json
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save
from sklearn.datasets import load_breast_cancer

import onelayer
from onelayer import storage, tables
from onelayer.model import Model
from onelayer.storage import ModelError, digest

TEXT = {"said": "text"}


@pytest.fixture(scope="module")
def table():
    data = load_breast_cancer()
    columns = {str(name): data.data[:, i] for i, name in enumerate(data.feature_names[:6])}
    return columns | {"label": data.target_names[data.target].astype(object)}


@pytest.fixture(scope="module")
def model(table):
    return onelayer.fit(table, positive="malignant", test_size=0.25)


# A process of its own, for an audit hook stays for ever and the peak of memory is the process's.
MUTATE = """
import json, os, pickle, resource, sys
from pathlib import Path

import numpy as np

from onelayer.model import load
from onelayer.storage import ModelError

source, folder = Path(sys.argv[1]), Path(sys.argv[2])
whole, path, rng = source.read_bytes(), folder / "mutated", np.random.default_rng(0)
length = int.from_bytes(whole[:8], "little")
header = json.loads(whole[8 : 8 + length])


def flipped():
    data = bytearray(whole)
    for _ in range(rng.integers(1, 4)):
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(data)


def cut():
    return whole[: rng.integers(len(whole))]


def spliced():
    at, drop, part = rng.integers(len(whole)), rng.integers(20), rng.integers(len(whole))
    return whole[:at] + whole[part : part + rng.integers(1, 20)] + whole[at + drop :]


def edited():
    new = json.loads(json.dumps(header))
    name = rng.choice([key for key in new if key != "__metadata__"])
    how = rng.integers(6)
    if how == 0:
        new[name]["shape"] = [int(10.0 ** rng.integers(0, 18)), int(rng.integers(0, 99)) * 7 + 3]
    elif how == 1:
        new[name]["data_offsets"] = [0, int(10.0 ** rng.integers(2, 18))]
    elif how == 2:
        new[name]["dtype"] = str(rng.choice(["I64", "U64", "BF16", "F32", "BOOL", "C64", "F8_E5M2", "X"]))
    elif how == 3:
        new[f"more{rng.integers(9)}"] = new.pop(name)
    elif how == 4:
        key = rng.choice(list(new["__metadata__"]))
        text = new["__metadata__"][key]
        at = rng.integers(len(text))
        new["__metadata__"][key] = text[:at] + chr(rng.integers(33, 0x3000)) + text[at:]
    else:
        new["__metadata__"].pop(rng.choice(list(new["__metadata__"])))
    text = json.dumps(new, ensure_ascii=bool(rng.integers(2))).encode()
    return len(text).to_bytes(8, "little") + text + whole[8 + length :]


def longer():
    size = int(rng.integers(0, 2**63 - 1)) >> int(rng.integers(63))
    return size.to_bytes(8, "little") + whole[8:] if size != length else whole[:-1]


class Bomb:
    def __reduce__(self):
        return os.system, (f"touch {folder}/executed",)


def pickled():
    return pickle.dumps([Bomb()], protocol=int(rng.integers(6))) + whole[: rng.integers(9)]


def refused(data):
    path.write_bytes(data)
    try:
        load(path)
    except ModelError as error:
        return "\\n" not in str(error) and len(str(error)) < 400
    return data == whole


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


events = set()
ways = [flipped] * 4 + [cut, spliced, spliced, edited, edited, longer]
load(source)
assert all(refused(way()) for way in [*ways, pickled])
sys.addaudithook(lambda event, _: events.add(event))
before = peak()
kept = [way.__name__ for way in ways * 990 + [pickled] * 100 if not refused(way())]
print(json.dumps({"kept": kept, "events": sorted(events), "megabytes": (peak() - before) / 1024}))
"""


def test_ten_thousand_mutations_are_refused_and_nothing_is_executed(model, tmp_path):
    source = tmp_path / "m.onelayer"
    model.save(source)
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", MUTATE, str(source), str(tmp_path)], capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    found = json.loads(out.stdout)
    assert found["kept"] == []
    assert not (tmp_path / "executed").exists()
    assert "open" in found["events"]  # the hook hears
    dangerous = (
        "exec",
        "compile",
        "import",
        "pickle",
        "marshal",
        "os.system",
        "os.exec",
        "subprocess",
        "ctypes",
        "socket",
    )
    assert [event for event in found["events"] if event.startswith(dangerous)] == []
    assert found["megabytes"] < 10


def test_every_bit_of_a_file_counts(model, tmp_path):
    path = tmp_path / "m.onelayer"
    model.save(path)
    whole = path.read_bytes()
    taken = []
    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        with suppress(ModelError):
            onelayer.load(path)
            taken.append(bit)
    assert taken == []


def test_a_large_file_is_refused_within_twice_its_memory(tmp_path):
    words = tuple(f"word{i}" for i in range(100_000))
    column = tables.Column("t", "text", words, np.ones(len(words)))
    path = tmp_path / "m.onelayer"
    Model("y", ("a", "b"), np.ones((1, len(words) + 1)), tables.Encoder((column,))).save(path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    size = len(data)
    del data
    tracemalloc.start()
    with pytest.raises(ModelError, match="was changed since it was saved: fit and save it again"):
        onelayer.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * size


def rewritten(path, change):
    """The file with its parts changed and the digest made anew, as somebody could who wants to."""
    with safe_open(path, framework="numpy") as file:
        head, arrays = dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    meta = json.loads(head["model"])
    change(meta, arrays, head)
    needed = [version for version, name in (("3", "text_length"), ("4", "text_rules")) if name in meta["encoder"]]
    if needed and head["version"] != "5":
        head["version"] = needed[-1]
    head["model"] = head.pop("raw", None) or json.dumps(meta)
    head["sha256"] = digest(head["model"], arrays)
    path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata=head))


def put(place, key, value):
    def change(meta, arrays, head):
        parts = {"meta": meta, "arrays": arrays, "head": head}
        parts |= {"encoder": meta["encoder"], "column": meta["encoder"]["columns"][0]}
        parts[place][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("arrays", "weights", np.full((1, 7), np.nan)), "its weights do not fit"),
        (put("arrays", "weights", np.full((1, 7), np.inf)), "its weights do not fit"),
        (put("arrays", "weights", np.zeros((1, 6))), "its weights do not fit"),
        (put("arrays", "weights", np.zeros((2, 7))), "its weights do not fit"),
        (put("arrays", "weights", np.zeros((1, 7), dtype=np.int64)), "its arrays are not those of a model"),
        (put("arrays", "more", np.zeros(3)), "its arrays are not those of a model"),
        (put("arrays", "column.0", np.array([0, np.nan, 0])), "has no such numbers"),
        (put("arrays", "column.0", np.array([0, 0.0, 0])), "has no such numbers"),
        (put("arrays", "column.0", np.array([0, 1.0])), "has no such numbers"),
        (put("arrays", "column.0", np.array([0, 1, 0])), "has no such numbers"),
        (put("head", "version", "5"), "is of version '5', but this onelayer reads 1, 2, 3, 4: upgrade onelayer"),
        (put("head", "format", "another"), "holds no onelayer model"),
        (put("head", "raw", "{"), "is damaged: "),
        (put("head", "raw", "[" * 100_000), "is damaged: "),
        (put("head", "raw", "[]"), "is damaged: "),
        (put("head", "raw", "{}"), "is damaged: "),
        (put("meta", "threshold", 2), "its threshold is 2"),
        (put("meta", "threshold", float("nan")), "its threshold is nan"),
        (put("meta", "threshold", 10**400), "is damaged: int too large"),
        (put("meta", "classes", ["a"]), "its target and classes are none"),
        (put("meta", "classes", ["a", "a"]), "its target and classes are none"),
        (put("meta", "classes", ["a", 1]), "its target and classes are none"),
        (put("meta", "classes", ["a", "b", "c"]), "its weights do not fit its columns and classes"),
        (put("meta", "target", None), "its target and classes are none"),
        (put("meta", "fitted", 3), "is damaged: "),
        (put("meta", "fitted", {"rows": "x"}), "what it says of its fit is nothing"),
        (put("meta", "fitted", {"l1_ratio": []}), "what it says of its fit is nothing"),
        (put("meta", "held_out", "x"), "is damaged: "),
        (put("encoder", "columns", []), "the model's columns are damaged: there are none, or two of a name"),
        (put("encoder", "ngrams", 0), "the model's columns are damaged"),
        (put("encoder", "ngrams", float("inf")), "the model's columns are damaged"),
        (put("encoder", "text_length", 0), "the length of texts is 0"),
        (put("encoder", "text_length", float("nan")), "the length of texts is nan"),
        (put("encoder", "text_rules", 3), "the rules of texts are 3"),
        (put("column", "name", "mean texture"), "there are none, or two of a name"),
        (put("column", "name", 3), "has no such names"),
        (put("column", "fill", "zero"), "has no such names"),
        (put("column", "kind", "date"), "the model's columns are damaged: 'date'"),
        (put("column", "kind", "category"), "has no such numbers"),
        (put("column", "names", [1]), "has no such names"),
        (put("column", "names", 1), "the model's columns are damaged: 'int' object is not iterable"),
    ],
)
def test_parts_that_no_model_has_are_refused_though_the_digest_fits(model, tmp_path, change, message):
    path = tmp_path / "m.onelayer"
    model.save(path)
    rewritten(path, lambda *_: None)
    assert onelayer.load(path).classes == model.classes
    rewritten(path, change)
    with pytest.raises(ModelError, match=message) as caught:
        onelayer.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_model_file_is_said(model, tmp_path):
    path = tmp_path / "m.onelayer"
    with pytest.raises(ModelError, match=r"model file '.*' does not exist"):
        onelayer.load(path)
    with pytest.raises(ModelError, match="is a folder: name a model file in it"):
        onelayer.load(tmp_path)
    path.write_text("no model")
    with pytest.raises(ModelError, match="is not a model file, or is damaged: fit and save it again"):
        onelayer.load(path)
    path.write_bytes(save({"x": np.zeros(3)}))
    with pytest.raises(ModelError, match="holds no onelayer model"):
        onelayer.load(path)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent / "golden").glob("*.onelayer")), ids=lambda path: path.stem
)
@pytest.mark.filterwarnings("ignore:column 'town' holds what the model does not know")  # in their tables, on purpose
def test_models_saved_by_earlier_versions_predict_what_they_did(path):
    kept, model = json.loads(path.with_suffix(".json").read_text()), onelayer.load(path)
    if "prediction" in kept:
        np.testing.assert_allclose(model.predict(kept["table"]), kept["prediction"], rtol=1e-12)
    else:
        np.testing.assert_allclose(model.predict_proba(kept["table"])[:, 1], kept["probability"], rtol=1e-12)


@pytest.fixture(scope="module")
def stack(table):
    numbers = {"size": table["mean radius"], "smoothness": table["mean smoothness"], "label": table["mean area"]}
    return onelayer.fit(numbers, task="regression", hidden=(5, 3), activation="tanh")


@pytest.fixture(scope="module")
def reader():
    return onelayer.fit({"said": ["a good day", "a bad day", "good", "bad"] * 2, "label": [1, 0] * 4}, kinds=TEXT)


def test_a_model_is_saved_as_the_earliest_version_that_can_say_it(model, stack, reader, tmp_path):
    third = replace(reader, encoder=replace(reader.encoder, text_rules=1))  # what models were before they said it
    first = replace(third, encoder=replace(third.encoder, text_length=4.0))
    for saved, version in ((model, "1"), (first, "1"), (stack, "2"), (third, "3"), (reader, "4")):
        saved.save(tmp_path / "m.onelayer")
        with safe_open(tmp_path / "m.onelayer", framework="numpy") as file:
            assert file.metadata()["version"] == version
        assert onelayer.load(tmp_path / "m.onelayer").encoder.state()[0] == saved.encoder.state()[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("meta", "task", "clustering"), "its task is 'clustering'"),
        (put("meta", "task", "classification"), "its target and classes are none"),
        (put("meta", "classes", ["a", "b"]), "its target and classes are none"),
        (put("meta", "activation", "sine"), "its activation is 'sine'"),
        (put("meta", "activation", ["tanh"]), "is damaged: "),
        (put("meta", "hidden", 1), "its arrays are not those of a model"),
        (put("meta", "hidden", 3), "is damaged: "),
        (put("meta", "hidden", 10**9), "is damaged: "),
        (put("meta", "hidden", -1), "its arrays are not those of a model"),
        (put("meta", "hidden", "two"), "is damaged: "),
        (put("arrays", "hidden.0", np.zeros((5, 4))), "its weights do not fit"),
        (put("arrays", "hidden.1", np.zeros((4, 6))), "its weights do not fit"),
        (put("arrays", "hidden.1", np.full((3, 6), np.nan)), "its weights do not fit"),
    ],
)
def test_parts_that_no_stack_has_are_refused_though_the_digest_fits(stack, tmp_path, change, message):
    path = tmp_path / "m.onelayer"
    stack.save(path)
    rewritten(path, lambda *_: None)
    assert [w.shape for w in onelayer.load(path).hidden] == [(5, 3), (3, 6)]
    rewritten(path, change)
    with pytest.raises(ModelError, match=message) as caught:
        onelayer.load(path)
    assert "\n" not in str(caught.value)


def test_only_a_model_is_replaced(tmp_path):
    path = tmp_path / "m"
    for name in ("version-1", "version-2", "version-3", "version-4"):
        path.write_bytes((Path(__file__).parent / "golden" / f"{name}.onelayer").read_bytes())
        storage.check_replaced(str(path))
    path.write_bytes(b"")
    storage.check_replaced(str(path))
    storage.check_replaced("-")
    storage.check_replaced(str(tmp_path / "nowhere"))
    for held in (
        b"a,b\n1,2\n",
        b"a",
        b'\x10\0\0\0\0\0\0\0{"__metadata__":{"format":"pt"}}',
        b'{"format": "onelayer-model"}',
    ):
        path.write_bytes(held)
        with pytest.raises(ValueError, match="m' is there and no model, and would be replaced: name another"):
            storage.check_replaced(str(path))
