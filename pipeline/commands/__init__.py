"""The commands that are more than one stage, a module each."""
