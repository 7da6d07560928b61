"""Models as files: saved, loaded, packaged, and exchanged with the Hub."""
