"""Pure-Python readers of hostile bytes, one module a family of files.

Each offers ``read(source) -> Iterator[Finding]`` and works by allow-list: what picture and
sound need is passed over in silence, everything else is found, and what no standard that we
read names is an ``unknown part``.  None keeps, logs or raises a value that it read.
"""
