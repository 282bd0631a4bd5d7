"""Where rows live, and how sums over them are taken: in blocks, on threads, always in the same order."""
