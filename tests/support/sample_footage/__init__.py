"""Paints the sample's footage: how the files in ``pipeline/demo/files`` were made.

``python -m tests.support.sample_footage DIR`` makes them again.
"""
