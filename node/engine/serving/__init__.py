"""How requests are served: who waits for what, and until when."""
