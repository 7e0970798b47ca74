"""Slow, independent answers to the questions that the compiler answers in closed form."""
