"""What the project costs to run, measured against a floor in the same run; `python -m benchmarks --help`."""
