"""Broadcasts: one content to an audience of any size, gathered and expanded in the background."""
