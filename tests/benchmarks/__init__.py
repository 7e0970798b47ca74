"""Measurements, not tests: nothing here is asserted on time."""
