"""Ways to hand over a message. One module each; `docs/adding-a-transport.md` says how to add one."""
