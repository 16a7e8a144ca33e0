"""The checks of `waypost doctor`, each in two halves: what is so is probed, what that means is judged.

Judging is a pure function from what was seen to findings. Nothing here changes the store or needs a broker.
"""
