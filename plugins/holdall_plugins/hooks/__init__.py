"""Hook plugins: they observe sessions, or wrap their exports."""
