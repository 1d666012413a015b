"""Companies, their connections and accounts, and what an operator does with them."""
