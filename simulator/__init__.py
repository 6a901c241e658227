"""A shop full of customers, with known ground truth.

`generate` writes traffic to a file as fast as a disk takes it, `live` lets the same customers browse
through the real HTTP path, `inbox` receives the emails they get, and `history` fills a warehouse with a
past to measure against.
The package knows nothing of the collector, the senders or Dagster: it talks HTTP and SMTP like any shop.
"""
