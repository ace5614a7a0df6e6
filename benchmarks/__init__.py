"""What asking a cluster costs, beside the ways in which people ask hosts today; `make bench` prints it."""
