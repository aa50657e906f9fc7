"""A running cluster administered from outside: asked, judged and changed step by step, with commands any client has."""
