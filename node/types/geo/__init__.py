"""Places on the earth as scores of sorted sets, and shapes that they are looked for in, with Redis' arithmetic."""
