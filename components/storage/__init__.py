"""Object storage that Kestra's pods use by their own identity (`kestra:storage-bucket`)."""
