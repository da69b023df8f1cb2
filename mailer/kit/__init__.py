"""The kit: what every room needs and what knows no noun of ours."""
