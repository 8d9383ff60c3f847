"""The pages that analysts work in."""
