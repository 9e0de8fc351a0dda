"""``footage demo``: a small sample inbox for newcomers, and everything run on it."""
