"""The tests, and the slow oracles they ask."""
