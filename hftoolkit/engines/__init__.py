"""How text is generated."""
