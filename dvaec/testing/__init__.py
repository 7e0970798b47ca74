"""Checks for compiled models: the property list, its slow oracles, and strategies that draw specs."""
