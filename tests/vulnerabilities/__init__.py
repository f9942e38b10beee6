"""Tests of what judges pins by the OSV database."""
