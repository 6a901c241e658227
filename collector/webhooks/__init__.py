"""What mail providers tell about our emails: their dialects, their signatures, one vocabulary."""
