"""Sessions and what they share: checking and running commands, fan-out, pacing, jobs. It knows no transport."""
