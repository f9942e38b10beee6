"""Tests of what a backend is."""
