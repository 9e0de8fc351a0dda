"""What each command does with a run, one module for each command."""
