"""FFmpeg: the one way to run it, its limits, its errors and the sandbox around it."""
