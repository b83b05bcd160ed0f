"""The rules in Cedar and the register that names their sources; a leaf."""
