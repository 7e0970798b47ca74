"""Slow, independent ways to the answers of the derivations: written out node by node from the spec alone."""
