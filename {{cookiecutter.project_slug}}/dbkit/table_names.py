"""Names of tables, made from those of models."""

import re


def snake_case(class_name: str) -> str:
    """`OrderItem` → `order_item`, `HTTPProxy` → `http_proxy`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()


def table_name(class_name: str) -> str:
    """`OrderItem` → `order_items`, `HTTPProxy` → `http_proxies`.

    Three rules rather than a dictionary: a library's better plural would rename a table.
    """
    words = snake_case(class_name)
    if re.search(r"[^aeiou]y$", words):
        return f"{words[:-1]}ies"
    return f"{words}es" if re.search(r"(s|x|z|ch|sh)$", words) else f"{words}s"
