"""Layers, graphs, models at work: what every member of the library stands on."""
