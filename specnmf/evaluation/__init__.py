"""How well sources were separated: scores against references."""
