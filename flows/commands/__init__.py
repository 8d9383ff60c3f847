"""The commands of `leadline`, by subject; `flows.cli` lists them.

Heavy packages are imported inside the commands that need them.
"""
