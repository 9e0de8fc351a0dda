"""What both process and render need: FFmpeg, the sandbox, probing, captions, verification."""
