"""What commands do: observe, plan, act, and return frozen results."""
