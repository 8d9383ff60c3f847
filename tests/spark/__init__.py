"""Tests that need PySpark and Java: `make spark` runs them."""

# Two cores; a task that fails is tried once more, as on a cluster.
MASTER = "local[2,2]"
