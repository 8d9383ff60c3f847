"""One module per family of features; each adds columns to the units."""
