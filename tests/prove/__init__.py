"""Methods against data that nobody here wrote, and against a simulator whose truth is known."""
