"""Is this call really from the provider? One module per way of signing."""
