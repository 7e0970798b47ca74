"""Several models under one protocol: jobs, where they run, and the tables of what came out."""
