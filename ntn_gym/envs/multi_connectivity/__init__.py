"""Who serves whom: satellites and base stations for each user."""
