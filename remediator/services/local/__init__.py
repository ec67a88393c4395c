"""A local git repository: its plumbing, a forge on it, and a ref store on it."""
