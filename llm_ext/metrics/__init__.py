"""What Prometheus is told: what was counted, and what goes on."""
