"""How a release of this project is built, checked and described: `make release` (docs/releases.md)."""
