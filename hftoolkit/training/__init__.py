"""The loop that changes weights; it knows nothing of tasks, files, terminals or metrics."""
