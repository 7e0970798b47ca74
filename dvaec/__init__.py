"""dvaec."""
