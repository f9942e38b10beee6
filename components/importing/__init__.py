"""An installation as it is, to a stack file: `python -m components import FILE…`."""
