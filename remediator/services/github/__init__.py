"""GitHub: one thin HTTP client, a forge and a ref store on it, and what people say on a pull request."""
