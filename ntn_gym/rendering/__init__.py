"""A small drawing toolkit that knows no environment: canvas, sky plot, map, time strips, text.

Importing this package imports nothing heavy; its modules import matplotlib, which the extra ``render`` installs.
Everything is drawn off-screen, on Agg canvases that no other figure of the program shares.
"""
