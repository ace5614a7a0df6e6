"""Real PostgreSQL and RabbitMQ servers, and servers that break in every way a network allows."""
