"""Trajectories of optax's optimisers on a small penalised log loss, frozen in optimisers.json for test_first_order.py.

Run once, in an environment of its own: ``pip install optax && python tests/golden/optimisers.py``.
"""

import json
from pathlib import Path

import numpy as np

STEPS = 60


def main():
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)
    optimisers = {
        "gd": (0.5, optax.sgd(0.5)),
        "momentum": (0.2, optax.sgd(0.2, momentum=0.9)),
        "nesterov": (0.2, optax.sgd(0.2, momentum=0.9, nesterov=True)),
        "rmsprop": (1e-3, optax.rmsprop(1e-3, decay=0.9, eps=1e-8, eps_in_sqrt=False)),
        "adam": (1e-3, optax.adam(1e-3)),
    }
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((12, 3)).round(3), rng.integers(0, 2, 12)
    penalty, start = 0.1, jnp.array([0.3, -0.2, 0.1, 0.05])  # three weights and a bias, which is not penalised

    def cost(u):
        z = jnp.asarray(X) @ u[:3] + u[3]
        return jnp.mean(jnp.logaddexp(0, (1 - 2 * jnp.asarray(y)) * z)) + penalty / 2 * (u[:3] @ u[:3])

    def trajectory(optimiser, u):
        """Every tenth point, the start first."""
        state, points = optimiser.init(u), [u]
        for step in range(1, STEPS + 1):
            update, state = optimiser.update(jax.grad(cost)(u), state)
            u = optax.apply_updates(u, update)
            points += [u] if step % 10 == 0 else []
        return np.array(points).tolist()

    found = {name: {"rate": rate, "u": trajectory(rule, start)} for name, (rate, rule) in optimisers.items()}
    made = {"optax": optax.__version__, "X": X.tolist(), "y": y.tolist(), "penalty": penalty, "trajectories": found}
    Path(__file__).with_suffix(".json").write_text(json.dumps(made) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
