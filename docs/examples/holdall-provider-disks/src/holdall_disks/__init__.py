"""Jobs of disks: holdall reads the files of this folder, and imports nothing of it."""
