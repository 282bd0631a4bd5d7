"""The guide's data: sentences and their counted words, thirty points, two clouds."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onelayer.guide.asked import Matrix, check_count, check_seed

WORDS = ("aack", "beep")


def sentences() -> tuple[list[str], NDArray[np.int64]]:
    """The four sentences of the guide and their moods.

    Returns
    -------
    texts : list of 4 str
    Y : integer array of shape (1, 4)
        1 for angry, 0 for happy.

    Examples
    --------
    >>> texts, Y = sentences()
    >>> texts[0], Y
    ('Beep!', array([[1, 0, 0, 0]]))
    """
    return ["Beep!", "Aack?", "Beep aack…", "!?"], np.array([[1, 0, 0, 0]])


def word_counts(sentences: Sequence[str]) -> NDArray[np.int64]:
    """Count the words "aack" and "beep" in each sentence, whatever the case and the punctuation.

    Parameters
    ----------
    sentences : sequence of m str

    Returns
    -------
    integer array of shape (2, m)
        Counts of "aack" in the first row, of "beep" in the second.

    Raises
    ------
    TypeError
        If it is a single string, or holds something else than strings.

    Examples
    --------
    >>> word_counts(["Beep!", "Aack?", "Beep aack…", "!?"])
    array([[0, 1, 1, 0],
           [1, 0, 1, 0]])
    """
    if isinstance(sentences, str):
        raise TypeError(f"sentences is one string, {sentences!r}; pass a list of strings")
    if not isinstance(sentences, Iterable):
        raise TypeError(f"sentences is {sentences!r:.60}; pass a list of strings")
    sentences = list(sentences)
    for i, sentence in enumerate(sentences):
        if not isinstance(sentence, str):
            raise TypeError(f"sentences[{i}] is {sentence!r}, not a string; pass a list of strings")
    words = [re.findall(r"[^\W_]+", sentence.casefold()) for sentence in sentences]
    return np.array([[found.count(word) for found in words] for word in WORDS], dtype=np.int64)


def thirty_points(m: int = 30, *, random_state: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Points whose two features are 0 or 1, of class 1 where x₁ = 0 and x₂ = 1.

    Parameters
    ----------
    m : int
        Number of points.
    random_state : int, optional
        Seed. Without one the draw comes from NumPy's global generator, as in the guide.

    Returns
    -------
    X : integer array of shape (2, m)
    Y : integer array of shape (1, m)

    Examples
    --------
    >>> X, Y = thirty_points(5, random_state=3)
    >>> X
    array([[0, 0, 1, 1, 0],
           [0, 0, 1, 1, 1]])
    >>> Y
    array([[0, 0, 0, 0, 1]])
    """
    check_count("m", m, "ask for at least one point")
    if random_state is not None:
        check_seed(random_state)
    generator: Any = np.random if random_state is None else np.random.RandomState(random_state)
    X = generator.randint(0, 2, (2, m))
    return X, ((X[:1] == 0) & (X[1:] == 1)).astype(np.int64)


def blobs(m: int = 1000, *, random_state: int = 0) -> tuple[Matrix, NDArray[np.int64]]:
    """Two round clouds of points around (2.5, 3) and (6.7, 7.9), with standard deviation 1.4.

    Parameters
    ----------
    m : int
        Number of points; half of them, rounded up, are of class 0.
    random_state : int
        Seed; 0 gives the guide's points. NumPy's global generator is not touched.

    Returns
    -------
    X : array of shape (2, m)
    Y : integer array of shape (1, m)

    Examples
    --------
    >>> X, Y = blobs()
    >>> X.shape, Y.shape, int(Y.sum())
    ((2, 1000), (1, 1000), 500)
    """
    from sklearn.datasets import make_blobs  # a second to import, and nothing else here needs it

    check_count("m", m, "ask for at least one point")
    check_seed(random_state)
    points, labels = make_blobs(m, centers=([2.5, 3], [6.7, 7.9]), cluster_std=1.4, random_state=random_state)
    return points.T, labels.reshape(1, m)
