"""From the inbox to originals and the ledger."""
