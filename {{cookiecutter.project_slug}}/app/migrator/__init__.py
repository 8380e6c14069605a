"""What Alembic leaves to its users: connect, guard, compare, report."""
