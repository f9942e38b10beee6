"""What every control is written with."""
