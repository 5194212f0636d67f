"""The results of Allure: a folder with a file for each attempt at a test, or one such file."""

from holdall_plugins.importers.allure.importer import AllureImporter

__all__ = ["AllureImporter"]
