"""What every other package may use: randomness, atomic files, processes, the terminal."""
