"""Entity resolution: which records of several sources are about the same one."""
