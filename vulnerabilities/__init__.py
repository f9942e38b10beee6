"""Known vulnerabilities of everything that this repository pins, judged by a copy of the OSV database.

docs/vulnerabilities.md says what is judged and how findings are answered.
"""
