"""How progress, answers and tables look, in a notebook and in a terminal."""
