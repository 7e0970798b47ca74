"""Where data come from: archives, folders of arrays, tables, recordings, torch datasets."""
