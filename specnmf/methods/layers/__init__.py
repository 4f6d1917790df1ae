"""Components of components: what sounds together."""
