"""What a user would write instead of the service: the same endpoints on the same table."""
