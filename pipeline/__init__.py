"""footage-pipeline: makes a montage of mailed-in footage, and removes all locations from it."""

__version__ = "0.1.0"
