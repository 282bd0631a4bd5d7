"""
Cells that are no numbers, and other hard input
===============================================

What is refused is refused in one sentence, with the place, the value and a remedy. What can be answered is
answered.
"""

import numpy as np
import polars
from sklearn.datasets import load_breast_cancer

from onelayer import PerceptronClassifier

# sphinx_gallery_thumbnail_path = "picture.png"

X, y = load_breast_cancer(return_X_y=True)
names = [f"x{j}" for j in range(30)]


def refused(X, y, **settings) -> None:
    """Print what the fit says."""
    try:
        PerceptronClassifier(**settings).fit(X, y)
    except (TypeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}\n")


holes = X.copy()
holes[17, 3] = np.nan
refused(holes, y)
refused(polars.DataFrame(holes, schema=names), y)
refused(X.T, y)
refused(X[:, 0], y)
refused(X.astype(str), y)
refused(X, [None, *y[1:]])
refused(X, X[:, 0])
refused(X, np.zeros(569))
refused(X, y, C=-1)
refused(X, y, class_weight={"benign": 2})

# %%
# Labels may be anything that names a class. The answers are of the same kind:

for labels in (y == 1, 2 * y - 1, np.where(y, "良性", "悪性"), y.astype(float)):
    model = PerceptronClassifier().fit(X, labels)
    print(model.classes_, model.predict(X[:2]), round(model.score(X, labels), 3))

# %%
# Constant columns get no weight, and columns that repeat each other share theirs:

model = PerceptronClassifier(C=np.inf).fit(
    np.column_stack([X[:, :3], X[:, 0], np.full(569, 7.0)]), y
)
print(model.coef_.round(3))
print("\n".join(model.notices_))
