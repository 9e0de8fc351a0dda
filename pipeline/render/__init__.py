"""From the clips that the review admits to the montage."""
