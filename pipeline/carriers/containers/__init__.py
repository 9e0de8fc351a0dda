"""How container formats are built: one walker a format, for every reader of a file.

The readers, the probe, the search for a colour profile and the rule for signature logos all see
a file through these walkers, so they never disagree about what is in it.  The judge of finished
files has walkers of its own, on purpose.
"""
