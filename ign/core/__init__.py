"""Utilities that all packages use: random numbers, atomic files, processes, the terminal."""
