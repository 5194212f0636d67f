"""What listens to sessions, or wraps their exports."""
