"""What others see of a session: the view, and the way from it to a report."""
