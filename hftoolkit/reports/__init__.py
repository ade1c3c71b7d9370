"""What a run did and how good it is."""
