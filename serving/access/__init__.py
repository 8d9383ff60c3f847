"""Who may do what: users, roles per supervision model and office, service tokens."""
