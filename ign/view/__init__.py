"""What a person looks at: pictures, plots, HTML pages, videos, and streams of files."""
