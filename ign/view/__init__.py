"""Visual output: pictures, plots, HTML pages, videos, and streams of files."""
