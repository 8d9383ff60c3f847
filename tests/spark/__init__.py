"""Tests that need PySpark and Java: `make spark` runs them."""

# Two cores; a task that fails is tried once more, as on a cluster.
MASTER = "local[2,2]"
# Driver and executors are processes of their own: 1 executor of 2 cores and 1 GiB.
CLUSTER = "local-cluster[1,2,1024]"
