"""The Waypost broker."""
