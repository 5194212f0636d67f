"""Ways to perform a job."""
