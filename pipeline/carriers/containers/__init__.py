"""How container formats are built: one walker a format, for every reader of a file.

All code that looks into an original sees it through these walkers, so no two parts disagree about
what is in it.  The judge of finished files has walkers of its own, on purpose.
"""
