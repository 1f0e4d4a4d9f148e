"""Models on their way from a hub to this machine. A child process does the transfer."""
