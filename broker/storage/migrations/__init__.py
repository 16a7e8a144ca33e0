"""Numbered `.sql` files, applied once each and in order; never edited after a release."""
