"""What commits changed, and taking it back."""
