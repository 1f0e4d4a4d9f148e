"""What the server and its worker processes say to each other, and how."""
