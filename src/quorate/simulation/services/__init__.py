"""The database and the message broker of the simulated cluster, on real sockets in their own protocols."""
