"""The loss of rows, its gradient and its curvature, as sums over them: of one layer, and of several."""
