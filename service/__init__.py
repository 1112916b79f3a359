"""The endpoint: CDS Hooks requests in, cards out."""
