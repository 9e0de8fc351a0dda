"""Measurements: CPU and memory, always as a ratio to a floor taken in the same run."""
