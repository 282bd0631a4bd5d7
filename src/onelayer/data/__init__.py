"""What is given, as the numbers that are fitted: features, scaled columns, classes or targets."""
