"""Results to text and JSON; rich lives here alone."""
