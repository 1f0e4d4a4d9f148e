"""What of a notebook a question may carry: values, cells, variables, errors."""
