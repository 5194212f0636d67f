"""Jobs of disks: files that are read, and never imported."""
