"""Who builds what from which texts: the objects that say so, and one graph of them."""
