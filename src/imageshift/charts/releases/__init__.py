"""What installs charts, with the texts that their values are written in."""
