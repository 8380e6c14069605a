"""Helpers for developers; the application never imports them."""
