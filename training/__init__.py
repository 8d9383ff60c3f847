"""From feature matrices to ranked, explained and tracked scores."""

import os

# Before anything below imports MLflow: nothing may leave the machine, not even a DNS
# lookup.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
