"""What all commands share: streams, messages, options, exit statuses."""
