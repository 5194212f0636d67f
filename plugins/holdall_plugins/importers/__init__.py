"""Importers: results that other tools left behind."""
