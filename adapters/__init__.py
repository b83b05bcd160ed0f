"""Sources and sinks of department systems; a leaf that never touches a key."""
