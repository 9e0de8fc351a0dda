"""Tell people and programs how a night went: counts and codes only, never a word of a sender."""
