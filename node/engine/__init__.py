"""Sessions, requests, limits and the data: knows no command, no socket and no clock."""
