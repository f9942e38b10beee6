"""The pages and golden files that are written from data: `python -m docsgen [--tests] [--check]`."""
