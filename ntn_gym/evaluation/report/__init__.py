"""Turn the records of a benchmark into one HTML file and one Markdown file."""
