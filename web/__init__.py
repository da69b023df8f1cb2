"""HTTP: pages for subscribers and for accounts, and nothing that decides anything."""
