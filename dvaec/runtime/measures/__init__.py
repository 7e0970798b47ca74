"""Scores of reconstructions that are not likelihoods: of speech and of motion (13.2.4)."""
