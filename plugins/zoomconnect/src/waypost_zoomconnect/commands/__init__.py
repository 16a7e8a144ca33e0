"""The program `waypost-zoomconnect`: brings contacts, groups and templates over, in either direction.

It is a client of the broker, as any other program is, and of ZoomConnect; the provider needs nothing of it.
"""
