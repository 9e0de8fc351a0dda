"""One module a file format, each with ``read(window) -> Iterator[Finding]``."""
