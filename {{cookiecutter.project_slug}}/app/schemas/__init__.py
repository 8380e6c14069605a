"""What requests and responses hold, one module for each resource."""
