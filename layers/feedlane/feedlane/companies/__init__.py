"""Companies, data connections and source accounts; Xero organisations as a port."""
