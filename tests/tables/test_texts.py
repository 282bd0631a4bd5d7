"""Words, signs and runs of words as features."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from onelayer import tables
from onelayer.tables.lexicon import Lexicon
from onelayer.tables.texts import RUN_WEIGHT, TEXT_LENGTH, _repeated, learn
from onelayer.tables.tokens import TOKEN


def test_texts_equal_scikit_learns_tf_idf():
    texts = ["A good film!", "bad, bad film", "I am good", "über ÜBER x", "so good film", "don't", "I am bad, bad!"]
    encoder, encoded = tables.fit(pl.DataFrame({"t": texts}), kinds={"t": "text"}, ngrams=2)
    pattern = (
        TOKEN.replace(r"]\p{L}[", r"][\p{L}][")
        .replace(r"\p{L}", "a-zäöü")
        .replace(r"\p{N}", "0-9")
        .replace(r"\p{M}", "")
    )
    pattern = pattern.replace(r"[\p{Han}\p{Hiragana}\p{Katakana}]|", "")
    theirs = TfidfVectorizer(token_pattern=pattern, ngram_range=(1, 2), sublinear_tf=True, norm=None)
    X = theirs.fit_transform(texts).toarray()
    terms = [name.removeprefix("t: ") for name in encoder.feature_names]
    assert {term for term in terms if " " in term} == {"good film", "bad ,", ", bad", "i am"}
    assert {term for term in terms if " " not in term} == {term for term in theirs.vocabulary_ if " " not in term}
    X = X[:, [theirs.vocabulary_[term] for term in terms]] * [RUN_WEIGHT if " " in term else 1 for term in terms]
    X *= TEXT_LENGTH / np.linalg.norm(X, axis=1, keepdims=True)
    np.testing.assert_allclose(encoded.X.toarray(), X, rtol=1e-12)
    np.testing.assert_allclose(encoder.transform(pl.DataFrame({"t": texts})).X.toarray(), X, rtol=1e-12)


def test_texts_without_a_known_word_are_flagged():
    encoder, _ = tables.fit(pl.DataFrame({"t": ["good day", "bad day", "so so"]}), kinds={"t": "text"})
    assert encoder.transform(pl.DataFrame({"t": ["", "never", "a day"]})).empty.tolist() == [True, True, False]


def test_rows_without_a_known_word_are_flagged_only_where_texts_are_all_there_is():
    encoder, _ = tables.fit(pl.DataFrame({"n": [1.0, 2.0], "t": ["a", "b"]}), kinds={"t": "text"})
    assert encoder.transform(pl.DataFrame({"n": [1.5], "t": ["never"]})).empty.tolist() == [False]


def test_as_many_rows_out_as_in():
    texts = ["a good day", "", "!?", " ", "🙂", "我", "x"]
    encoder, encoded = tables.fit(pl.DataFrame({"t": texts}), kinds={"t": "text"})
    assert encoded.X.shape[0] == len(texts)
    assert encoded.empty.tolist() == [False, True, False, True, False, False, False]
    lengths = np.sqrt(encoded.X.power(2).toarray().sum(axis=1))
    np.testing.assert_allclose(lengths, np.where(encoded.empty, 0, TEXT_LENGTH), rtol=1e-12)
    assert encoder.transform(pl.DataFrame({"t": ["", "good"]})).empty.tolist() == [True, False]


def test_a_text_without_any_word_is_refused():
    with pytest.raises(tables.TableError, match="column 't' holds no word in any of its rows: exclude it"):
        tables.fit(pl.DataFrame({"t": ["", " "]}), kinds={"t": "text"})


def test_terms_are_bounded_and_it_is_said():
    frame = pl.DataFrame({"t": ["b a", "a c", "a b"]})
    encoder, _ = tables.fit(frame, kinds={"t": "text"}, ngrams=1, max_features=2)
    assert encoder.feature_names == ["t: a", "t: b"]
    assert encoder.notices == ("column 't' has more than 2 different terms: those in most rows are kept",)


@pytest.mark.parametrize("ngrams", [1, 2, 3])
@pytest.mark.parametrize("limit", [1, 5, 40, 300, 10_000])
def test_what_is_learnt_is_what_counting_in_plain_python_gives(ngrams, limit):
    rng = np.random.default_rng(ngrams)
    texts = [" ".join(rng.choice(list("abcdefg!"), rng.integers(0, 9))) for _ in range(60)]
    listed = []
    for text in texts:
        words = text.split()
        listed.append([" ".join(words[i : i + k]) for k in range(1, ngrams + 1) for i in range(len(words) - k + 1)])
    documents = Counter(term for found in listed for term in set(found))
    documents = {term: rows for term, rows in documents.items() if rows > 1 or " " not in term}
    names = sorted(documents, key=lambda term: (-documents[term], term))[:limit]
    vocabulary, counts = learn(pl.Series(texts), ngrams, limit)
    assert vocabulary.names == tuple(names)
    assert vocabulary.documents.tolist() == [documents[name] for name in names]
    assert vocabulary.capped == (len(documents) > limit)
    assert counts.toarray().tolist() == [[found.count(name) for name in names] for found in listed]
    assert counts.has_canonical_format
    assert (Lexicon.of(vocabulary.names).count(pl.Series(texts)) != counts).nnz == 0


def test_keys_too_large_to_be_packed_are_sorted_alike():
    keys, rows = np.array([5, 1, 5, 1, 3, 5]), np.array([0, 0, 1, 3, 2, 1])
    small, large = _repeated(keys, rows, 4), _repeated(keys << 59, rows, 4)
    np.testing.assert_array_equal(small, [[1, 1, 5, 5, 5], [0, 3, 0, 1, 1]])
    np.testing.assert_array_equal([large[0] >> 59, large[1]], small)
