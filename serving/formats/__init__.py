"""How numbers are written, language by language, where Django does it otherwise."""
