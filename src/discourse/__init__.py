"""From a comment thread to an honest report."""
