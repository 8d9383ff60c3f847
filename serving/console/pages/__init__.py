"""One module for each page or its parts."""
