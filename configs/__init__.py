"""Ground floor: all that a person declares, and the frozen models that read it."""
