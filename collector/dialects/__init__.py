"""The dialects of HTTP that widely used SDKs speak, so that they reach us by changing their host."""
