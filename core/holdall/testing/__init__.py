"""Shipped for the authors of plugins: sessions to export, and promises to keep."""
