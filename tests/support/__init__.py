"""Helpers of the tests: bakes, projects, processes, servers."""
