"""WHERE PEOPLE MEET IT: thin. No host knows another."""
