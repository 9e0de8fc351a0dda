"""A sample inbox for newcomers, tests and pictures, out of footage that it makes itself."""
