"""What emails bring, as figures and as a page to look at."""
