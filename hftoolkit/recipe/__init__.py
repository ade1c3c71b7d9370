"""What a recipe may say, and how it is read, written and found."""
