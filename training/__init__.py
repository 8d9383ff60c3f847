"""From feature matrices to ranked, explained and tracked scores."""
