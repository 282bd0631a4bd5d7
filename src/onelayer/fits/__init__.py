"""One fit from start to end: what is asked and laid out, trained, kept on record and told of."""
