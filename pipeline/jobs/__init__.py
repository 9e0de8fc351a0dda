"""Jobs that are handed out to an engine: as plain data there, as plain data back, and checked.

A job is a clip, a card or a seam (``kinds``).  ``wire`` has what travels, ``handout`` the side of
the coordinator, ``remote`` that of a worker.
"""
