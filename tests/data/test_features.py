"""What is given as X: frames and arrays that hold no numbers are refused with column, type, example and remedy."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from onelayer import PerceptronClassifier, PerceptronClassifierCV, PerceptronRegressor, path

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3))
Y = np.arange(20) % 2
FRAMES = (pd.DataFrame(X, columns=list("abc")), pl.DataFrame(X, schema=list("abc")))


def with_cell(cell):
    cells = X.astype(object)
    cells[3, 1] = cell
    return cells


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (with_cell("red"), r"column 1 \(object\) holds 'red' \(str\) in row 3, .*: encode the column or drop it"),
        (with_cell(Decimal("1.5")), r"column 1 \(object\) holds Decimal\('1.5'\) \(Decimal\) in row 3.* make it a fl"),
        (with_cell([1, 2]), r"column 1 \(object\) holds \[1, 2\] \(list\) in row 3.*: make each of its parts a column"),
        (with_cell(date(2024, 1, 2)), r"column 1 .*\(date\) in row 3.*: make it a number, such as days since a date"),
        (with_cell(timedelta(1)), r"column 1 .*\(timedelta\) in row 3.*: make it a number, such as its seconds"),
        (with_cell(pd.NA), "column 1 has a missing value in row 3: drop the row or fill it first"),
        (with_cell(None), "column 1 has NaN or infinity in 1 cell, first NaN in row 3"),
        (np.full((20, 2), np.datetime64("2024-01-02")), r"column 0 is of type datetime64\[D\], such as 2024-01-02"),
        (np.full((20, 2), np.timedelta64(3, "s")), r"column 0 is of type timedelta64\[s\], such as 3 seconds"),
        (X + 1j, "X is of type complex128; give its real and imaginary parts as two columns"),
        (sp.csr_matrix(X + 1j), "X is of type complex128; give its real and imaginary parts as two columns"),
        (X.astype(str), r"column 0 is of type <U32, such as '0.1257302210933933': pass X.astype\(float\)"),
        (np.where(X > 1, "x", "1"), r"column \d is of type <U1 and holds 'x' in row \d+: encode"),
        ([[1, "red"]] * 20, r"column 1 \(object\) holds 'red' \(str\) in row 0, but X as an argument must be without"),
        ([[1, 2], [3]], "row 1 of X has 1 cell, but row 0 has 2: make them as many"),
        (np.ma.array(X, mask=X > 1), r"column \d is masked in row \d+: fill it"),
        (X[:, 0], r"X has one axis, of 20 numbers.* X.reshape\(-1, 1\) is one column, X.reshape\(1, -1\) one row"),
        (X[None], r"X has shape \(1, 20, 3\), where rows and columns are needed"),
        (X[:, :0], "0 feature"),
        (X[:0], "0 sample"),
        (X.T, "X has 3 rows, but y has 20 labels: X looks transposed, pass X.T"),
        (sp.csr_matrix(X.T), "X has 3 rows, but y has 20 labels: X looks transposed, pass X.T"),
        (X[:7], "X has 7 rows, but y has 20 labels$"),
        ("people.csv", "X is 'people.csv', not rows of numbers: .* onelayer.fit reads tables"),
        ({"a": [1]}, r"X is {'a': \[1\]}, not rows of numbers"),
        (None, "X is None, not rows of numbers"),
        (3.0, "X is 3.0, not rows of numbers"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused_with_its_place(given, words):
    with pytest.raises((ValueError, TypeError), match=words):
        PerceptronClassifier().fit(given, Y)


CELLS = [
    (["red"] * 20, "'red'.*: encode the column or drop it"),
    ([date(2024, 1, 2)] * 20, "2024.*1.*2.*: make it a number, such as days since a date"),
    ([[1, 2]] * 20, r"\[1, 2\].*: make each of its parts a column"),
    ([Decimal("1.5")] * 20, r"Decimal\('1.5.*make it a float"),
]


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
@pytest.mark.parametrize(("cells", "words"), CELLS)
def test_a_frames_column_is_refused_by_name(frame, cells, words):
    frame = frame.assign(b=cells) if isinstance(frame, pd.DataFrame) else frame.with_columns(b=pl.Series(cells))
    with pytest.raises((ValueError, TypeError), match=f"^column 'b' .*{words}"):
        PerceptronClassifier().fit(frame, Y)


def test_times_and_categories_of_pandas_are_refused_by_name():
    for cells in (pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-02", tz="UTC")):
        with pytest.raises(
            (ValueError, TypeError), match=r"^column 'b' .*2024-01-02.*: make it a number, such as days"
        ):
            PerceptronClassifier().fit(FRAMES[0].assign(b=cells), Y)
    with pytest.raises(ValueError, match=r"^column 'b' \(category\) holds 'red'"):
        PerceptronClassifier().fit(FRAMES[0].assign(b=pd.Categorical(["red"] * 20)), Y)


def test_a_table_of_arrow_is_taken_as_other_frames_are():
    table = pa.table(dict(zip("abc", X.T, strict=True)))
    for whole in (table, table.to_batches()[0]):
        model = PerceptronClassifier().fit(whole, Y)
        assert model.feature_names_in_.tolist() == ["a", "b", "c"]
        np.testing.assert_array_equal(model.predict_proba(whole), model.predict_proba(FRAMES[1]))
    with pytest.raises(ValueError, match=r"^column 'b' is of type String and holds 'x' in row 0: encode the column"):
        PerceptronClassifier().fit(table.set_column(1, "b", [["x"] * 20]), Y)


def test_rows_that_are_not_there_yet_are_asked_for():
    with pytest.raises(TypeError, match=r"X is a LazyFrame, whose rows are not there yet: pass X.collect\(\)"):
        PerceptronClassifier().fit(FRAMES[1].lazy(), Y)


@pytest.mark.parametrize("dtype", ["Int64", "Float32", "boolean", "bool", "int8", "Int64[pyarrow]"])
def test_numbers_of_any_pandas_type_are_taken(dtype):
    frame = FRAMES[0].assign(b=(X[:, 1] > 0).astype(int))
    expected = PerceptronClassifier().fit(frame.to_numpy(), Y).coef_
    dtype = "int64[pyarrow]" if dtype.endswith("[pyarrow]") else dtype
    np.testing.assert_allclose(PerceptronClassifier().fit(frame.astype({"b": dtype}), Y).coef_, expected, rtol=1e-9)


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_array, sp.coo_matrix, sp.dok_array, sp.lil_matrix, list])
def test_every_storage_gives_the_same(make):
    expected = PerceptronClassifier().fit(X, Y).coef_
    np.testing.assert_allclose(PerceptronClassifier().fit(make(X), Y).coef_, expected, rtol=1e-9)


@pytest.fixture(params=FRAMES, ids=["pandas", "polars"])
def fitted(request):
    return PerceptronClassifier().fit(request.param, Y), request.param


def test_extra_columns_are_noticed_and_left_out(fitted):
    model, frame = fitted
    more = frame.assign(z=1.0) if isinstance(frame, pd.DataFrame) else frame.with_columns(z=1.0)
    with pytest.warns(UserWarning, match="^columns not used: z$"):
        found = model.predict_proba(more[["z", "c", "a", "b"]])
    np.testing.assert_array_equal(found, model.predict_proba(frame))


def test_columns_in_another_order_are_refused_with_the_remedy(fitted):
    model, frame = fitted
    with pytest.raises(ValueError, match=r"Pass X\[list\(model.feature_names_in_\)\]"):
        model.predict(frame[["c", "b", "a"]])
    model.predict(frame[["c", "b", "a"]][list(model.feature_names_in_)])


def test_missing_and_renamed_columns_are_listed(fitted):
    model, frame = fitted
    with pytest.raises(ValueError, match="yet now missing:\n- c"):
        model.predict(frame[["a", "b"]])
    renamed = frame.rename(columns={"b": "B"}) if isinstance(frame, pd.DataFrame) else frame.rename({"b": "B"})
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- B\n.*yet now missing:\n- b"):
        model.predict(renamed)


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="X names column 'a' twice: rename one of them"):
        PerceptronClassifier().fit(pd.DataFrame(X, columns=["a", "b", "a"]), Y)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (X.T, "X has 20 features, .* expecting 3 features as input: X looks transposed, pass X.T"),
        (X[:, :2], "X has 2 features, .* expecting 3 features as input$"),
        (X[0], r"X has one axis, of 3 numbers.* X.reshape\(1, -1\) one row"),
        (with_cell(np.nan), "column 1 has NaN or infinity in 1 cell, first NaN in row 3"),
        (with_cell(np.inf).astype(float), "column 1 has NaN or infinity in 1 cell, first infinity in row 3"),
    ],
)
def test_prediction_refuses_in_the_same_words(given, words):
    with pytest.raises(ValueError, match=words):
        PerceptronClassifier().fit(X, Y).predict_proba(given)


def test_nan_at_prediction_is_named_with_its_column_and_row(fitted):
    model, frame = fitted
    cells = [1.0] * 4 + [np.nan] + [1.0] * 15
    holed = frame.assign(b=cells) if isinstance(frame, pd.DataFrame) else frame.with_columns(b=pl.Series(cells))
    with pytest.raises(ValueError, match="column 'b' has NaN or infinity in 1 cell, first NaN in row 4"):
        model.predict(holed)


FITS = {
    "classifier": lambda X: PerceptronClassifier().fit(X, Y),
    "descent": lambda X: PerceptronClassifier(solver="adam").fit(X, Y),
    "hidden layers": lambda X: PerceptronClassifier(hidden_layer_sizes=(2,)).fit(X, Y),
    "stream": lambda X: PerceptronClassifier().partial_fit(X, Y, classes=[0, 1]),
    "regressor": lambda X: PerceptronRegressor().fit(X, Y),
    "regressor's stream": lambda X: PerceptronRegressor().partial_fit(X, Y),
    "folds": lambda X: PerceptronClassifierCV().fit(X, Y),
    "path": lambda X: path(X, Y),
}


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("cell", "kind"), [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_a_cell_that_is_no_number_is_named_with_its_column_at_the_fit(frame, fit, cell, kind):
    column = np.where(np.arange(20) == 7, cell, X[:, 1])
    given = frame.assign(b=column) if isinstance(frame, pd.DataFrame) else frame.with_columns(b=pl.Series(column))
    words = f"^column 'b' has NaN or infinity in 1 cell, first {kind} in row 7: drop these rows or fill them first$"
    with pytest.raises(ValueError, match=words):
        FITS[fit](given)
    with pytest.raises(ValueError, match=words.replace("'b'", "1")):
        FITS[fit](given.to_numpy())


def test_an_error_that_is_of_no_cell_stays_as_it_is():
    with pytest.raises(ValueError, match="one class only"):
        PerceptronClassifier().fit(FRAMES[0].assign(b=np.nan), np.zeros(20))
