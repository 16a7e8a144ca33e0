"""Named statements, a file for each subject."""
