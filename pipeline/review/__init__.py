"""The report and the decisions."""
