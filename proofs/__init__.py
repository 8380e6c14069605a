"""Proofs that each guard of the migrations has a test that notices when it is gone: `make prove`."""
