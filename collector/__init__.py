"""HTTP in, log out: everything that happens becomes an event here, durable before it is acknowledged."""
