"""One module per engine; each is imported only when one of its models is loaded."""
