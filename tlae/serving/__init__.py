"""Models behind a socket: HTTP with a live page, and a filter of pictures over ZeroMQ."""
