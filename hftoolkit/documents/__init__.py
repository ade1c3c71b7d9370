"""Files of many formats -> texts to translate, and back."""
