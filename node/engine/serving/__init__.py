"""How requests are served, those of clients and of the primary's stream: from an argument list to a reply."""
