"""The installed program against a real engine, as its users meet it."""
