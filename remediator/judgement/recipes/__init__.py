"""Recipes applied to a repository: which Application runs the software, where its setting lives, which value is right."""
