"""Files of data, looked at without a node: are they whole, and what is in them?"""
