"""Importers: results of other tools, by the formats that they write."""
