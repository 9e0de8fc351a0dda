"""footage-pipeline: from mailed-in footage to a montage, with no location on the way."""

__version__ = "0.1.0"
