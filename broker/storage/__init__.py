"""The truth on disk: verbs over a transaction, named SQL, and one group-committing writer."""
