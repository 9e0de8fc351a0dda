"""Kinds of pictures, films and sound, a row each, with what a clip of them must show.

To add a kind, add a row to ``pictures.PICTURES``, ``films.FILMS`` or ``sounds.SOUNDS``.
``tests/test_corpus.py`` tries the rows that are marked ``quick``, ``bench/corpus.py`` all of them.
"""
