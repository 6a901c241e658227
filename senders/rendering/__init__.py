"""Turns a template and a context into a subject, an HTML part and a text part, and nothing else."""
