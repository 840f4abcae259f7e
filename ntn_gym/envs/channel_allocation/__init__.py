"""ChannelAllocation: which channel carries which call in the cells of a platform."""
