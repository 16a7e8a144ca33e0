"""What PostgreSQL has to be told in other words, and what only it is asked."""
