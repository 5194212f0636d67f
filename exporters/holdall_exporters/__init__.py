"""The report formats that come with holdall, one module each."""
