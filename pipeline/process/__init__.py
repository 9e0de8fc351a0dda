"""From originals to verified clips."""
