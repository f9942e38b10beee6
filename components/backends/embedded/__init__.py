"""Managers inside of Kestra: its database, Elasticsearch, and variables."""
